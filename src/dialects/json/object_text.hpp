#pragma once
#include <string_view>

#include "dialects/json/cursor.hpp"
#include "dialects/json/utf8.hpp"

namespace weir::json {

/// Whether `text` is one JSON object and nothing else. What a caller or a model wrote as text must be before it is put
/// into a body as a value: otherwise it could write members of ours.
inline bool is_object(std::string_view text) {
  Cursor cursor{text};
  return valid_utf8(text) && cursor.peek() == '{' && cursor.skip_value() && cursor.at_end();
}

}  // namespace weir::json
