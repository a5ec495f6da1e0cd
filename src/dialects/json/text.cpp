#include "dialects/json/text.hpp"

#include "dialects/json/utf8.hpp"

namespace weir::json {

void append_quoted(std::string& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  to.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0) {
      to += "\xEF\xBF\xBD";
      ++i;
      continue;
    }
    if (byte == '"' || byte == '\\') {
      to.push_back('\\');
      to.push_back(text[i]);
    } else if (byte == '\n') {
      to += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      to += "\\u00";
      to.push_back(digits[byte >> 4]);
      to.push_back(digits[byte & 15]);
    } else {
      to.append(text, i, length);
    }
    i += length;
  }
  to.push_back('"');
}

}  // namespace weir::json
