#pragma once
#include <expected>

#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_chat {

/// Writes a request of another dialect as a chat completions request. A stream always asks for its usage.
std::expected<vocabulary::EncodedRequest, vocabulary::Refusal> encode_request(const vocabulary::ChatRequest& request,
                                                                              const vocabulary::TargetTraits& target,
                                                                              vocabulary::Dropped& dropped);

}  // namespace weir::openai_chat
