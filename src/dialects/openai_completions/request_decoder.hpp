#pragma once
#include <expected>
#include <string_view>

#include "dialects/vocabulary/request.hpp"

namespace weir::openai_completions {

/// Takes one prompt as text. Views point into `body`.
std::expected<vocabulary::ChatRequest, vocabulary::Refusal> decode_request(std::string_view body);

}  // namespace weir::openai_completions
