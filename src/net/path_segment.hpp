#pragma once
#include <string>
#include <string_view>

namespace weir::net {

/// All but RFC 3986's unreserved characters as %XX: a name of a model as one segment of a path, which it cannot leave.
inline std::string encode_path_segment(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view marks = "-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte | 0x20U) - 'a' < 26U || byte - '0' < 10U || marks.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 0xFU]);
    }
  }
  return encoded;
}

}  // namespace weir::net
