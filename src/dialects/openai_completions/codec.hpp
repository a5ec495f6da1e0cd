#pragma once
#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_completions {

/// The legacy /v1/completions, as a client's dialect only: the prompt becomes a user's message.
const vocabulary::Codec& codec();

}  // namespace weir::openai_completions
