#pragma once
#include <expected>

#include "dialects/vocabulary/codec.hpp"

namespace weir::bedrock {

/// The body and path of one call. A JSON schema goes natively where the target says so, otherwise as a tool that the
/// model has to call; hints.schema_tool then names it.
std::expected<vocabulary::EncodedRequest, vocabulary::Refusal> encode_request(const vocabulary::ChatRequest& request,
                                                                              const vocabulary::TargetTraits& target,
                                                                              vocabulary::Dropped& dropped);

/// Anthropic's models, by their ids and profiles: they take thinking and top_k in fields of their own.
bool is_claude(std::string_view model);

}  // namespace weir::bedrock
