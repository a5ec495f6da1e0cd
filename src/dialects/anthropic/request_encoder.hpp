#pragma once
#include <expected>

#include "dialects/vocabulary/codec.hpp"

namespace weir::anthropic {

/// Writes a request of another dialect for /v1/messages. n above 1 is refused (SEMANTICS 23).
///
/// Where the target has no structured output of its own, a JSON schema becomes a tool that must be called; the hints
/// name it, and the decoders turn its arguments back into text.
std::expected<vocabulary::EncodedRequest, vocabulary::Refusal> encode_request(const vocabulary::ChatRequest& request,
                                                                              const vocabulary::TargetTraits& target,
                                                                              vocabulary::Dropped& dropped);

}  // namespace weir::anthropic
