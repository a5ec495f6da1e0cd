#pragma once
#include "dialects/openai_chat/body_shape.hpp"

namespace weir::anthropic {

/// /v1/messages and its count_tokens. `metadata.user_id` is Anthropic's own: read, and left in place.
const openai_chat::BodyShape& body_shape();

}  // namespace weir::anthropic
