#pragma once
#include <string>
#include <string_view>

namespace weir::openai_chat {

/// Appends `text` as a JSON string with its quotes; what is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& to, std::string_view text);

inline std::string json_string(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  append_json_string(quoted, text);
  return quoted;
}

}  // namespace weir::openai_chat
