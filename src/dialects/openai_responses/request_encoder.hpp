#pragma once
#include <expected>

#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_responses {

/// Writes a request of another dialect for /v1/responses; the provider is asked to store nothing.
std::expected<vocabulary::EncodedRequest, vocabulary::Refusal> encode_request(const vocabulary::ChatRequest& request,
                                                                              const vocabulary::TargetTraits& target,
                                                                              vocabulary::Dropped& dropped);

}  // namespace weir::openai_responses
