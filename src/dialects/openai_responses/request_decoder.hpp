#pragma once
#include <expected>
#include <string_view>

#include "dialects/vocabulary/request.hpp"

namespace weir::openai_responses {

/// Reads a /v1/responses request whole, for a target of another dialect. weir keeps no state: what leans on a stored
/// answer (previous_response_id, conversation, item_reference, prompt, background) is refused. Views point into `body`.
std::expected<vocabulary::ChatRequest, vocabulary::Refusal> decode_request(std::string_view body);

}  // namespace weir::openai_responses
