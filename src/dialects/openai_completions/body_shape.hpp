#pragma once
#include "dialects/openai_chat/body_shape.hpp"

namespace weir::openai_completions {

/// /v1/completions.
const openai_chat::BodyShape& body_shape();

}  // namespace weir::openai_completions
