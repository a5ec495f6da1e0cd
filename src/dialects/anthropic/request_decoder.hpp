#pragma once
#include <expected>
#include <string_view>

#include "dialects/vocabulary/request.hpp"

namespace weir::anthropic {

/// Reads a /v1/messages request whole, for a target of another dialect. Its views point into `body`.
std::expected<vocabulary::ChatRequest, vocabulary::Refusal> decode_request(std::string_view body);

}  // namespace weir::anthropic
