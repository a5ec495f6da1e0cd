#pragma once
#include <string_view>

#include "dialects/vocabulary/dropped.hpp"

namespace weir::gemini {

/// Names in `dropped`, as "schema.pattern", the JSON Schema keywords that Gemini accepts and then does not heed. The
/// schema itself goes out as it is written (parametersJsonSchema, responseJsonSchema). Nothing for what is no schema.
void note_unsupported_words(std::string_view schema, vocabulary::Dropped& dropped);

}  // namespace weir::gemini
