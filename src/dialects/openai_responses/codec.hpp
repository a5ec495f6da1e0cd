#pragma once
#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_responses {

/// /v1/responses without state, as a client's dialect and as an upstream's protocol.
const vocabulary::Codec& codec();

}  // namespace weir::openai_responses
