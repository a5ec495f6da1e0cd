#pragma once
#include <expected>

#include "dialects/vocabulary/codec.hpp"

namespace weir::gemini {

/// The body, path and query of one call. Refuses what would be another call without it (n of 0, a result without its
/// call, an image the target cannot take); names in `dropped` what only changes how it is answered.
std::expected<vocabulary::EncodedRequest, vocabulary::Refusal> encode_request(const vocabulary::ChatRequest& request,
                                                                              const vocabulary::TargetTraits& target,
                                                                              vocabulary::Dropped& dropped);

/// Gemini 3 and later: thinking levels, media in function responses, signatures that must come back.
bool is_third_generation(std::string_view model);

}  // namespace weir::gemini
