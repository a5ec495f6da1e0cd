#pragma once
#include <array>
#include <string>
#include <string_view>

namespace weir::admission {

/// A client key as weir makes it: `wr_`, 36 random characters of A-Z a-z 0-9 (214 bits), and six that are the CRC-32 of
/// those in base 62, so that a scanner for leaked secrets can tell one from chance text without asking anybody.
std::string make_key_text();

/// Whether a text has that form and its checksum is right.
bool is_key_text(std::string_view text);

/// The SHA-256 of a key, as 64 hexadecimal digits: all that is stored of it.
std::string hash_of_key(std::string_view key);

/// 64 hexadecimal digits to bytes; false = they are none.
bool parse_key_hash(std::string_view text, std::array<unsigned char, 32>& hash);

}  // namespace weir::admission
