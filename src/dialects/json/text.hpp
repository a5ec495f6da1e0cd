#pragma once
#include <string>
#include <string_view>

namespace weir::json {

/// Appends `text` as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD.
void append_quoted(std::string& to, std::string_view text);

inline std::string quoted(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  append_quoted(quoted, text);
  return quoted;
}

}  // namespace weir::json
