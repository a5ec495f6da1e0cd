#pragma once
#include <cstddef>
#include <string_view>

namespace weir::json {

/// Length of the well-formed UTF-8 sequence (RFC 3629) that begins at `at`; 0 if there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at);

/// Where the text stops being UTF-8; its size if it never does. Byte by byte: for refusals and short texts.
std::size_t first_bad_utf8(std::string_view text);

/// Without a tree and without memory, for texts of any size.
bool valid_utf8(std::string_view text);

}  // namespace weir::json
