#pragma once
#include "dialects/vocabulary/codec.hpp"

namespace weir::gemini {

/// Google's generateContent and streamGenerateContent, as an upstream: the Gemini API and Vertex AI, whose paths differ
/// only before "/models" (vertex.hpp).
const vocabulary::Codec& codec();

}  // namespace weir::gemini
