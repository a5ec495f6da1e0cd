#pragma once
#include "dialects/openai_chat/body_shape.hpp"

namespace weir::openai_responses {

/// /v1/responses. Its `metadata` is stored by default: only weir's own two members go.
const openai_chat::BodyShape& body_shape();

}  // namespace weir::openai_responses
