#pragma once
#include "dialects/vocabulary/codec.hpp"

namespace weir::anthropic {

/// /v1/messages, as a client's dialect and as an upstream's protocol.
const vocabulary::Codec& codec();

}  // namespace weir::anthropic
