#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace weir::net {

/// What a byte may be part of (RFC 9110 section 5.6, RFC 3986): one bit per class, looked up in one table.
enum CharacterClass : std::uint8_t {
  kToken = 1,     ///< method, field name, token
  kValue = 2,     ///< field value: HTAB, SP, visible, bytes above 0x7f
  kTarget = 4,    ///< path and query: visible ASCII without # \ " < >
  kHostName = 8,  ///< reg-name of a Host, without port
  kHexDigit = 16,
  kDotOrPercent = 32  ///< a target that has one needs the closer look at escapes and dot segments
};

namespace detail {
constexpr std::array<std::uint8_t, 256> make_character_classes() {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view kNotInTarget = "#\\\"<>";
  constexpr std::string_view kHostMarks = "-._~%!$&'()*+;=";
  std::array<std::uint8_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    const bool digit = i - '0' < 10U;
    const bool letter = (i | 0x20U) - 'a' < 26U;
    unsigned bits = 0;
    if (digit || letter || (i < 0x80 && kTokenMarks.contains(c))) bits |= kToken;
    if (i == '\t' || (i >= 0x20 && i != 0x7f)) bits |= kValue;
    if (i > 0x20 && i < 0x7f && !kNotInTarget.contains(c)) bits |= kTarget;
    if (digit || letter || (i < 0x80 && kHostMarks.contains(c))) bits |= kHostName;
    if (digit || (i | 0x20U) - 'a' < 6U) bits |= kHexDigit;
    if (c == '.' || c == '%') bits |= kDotOrPercent;
    table[i] = static_cast<std::uint8_t>(bits);
  }
  return table;
}
}  // namespace detail

inline constexpr auto kCharacterClasses = detail::make_character_classes();

inline std::uint8_t classes_of(char c) {
  return kCharacterClasses[static_cast<unsigned char>(c)];
}
inline bool is(CharacterClass wanted, char c) {
  return (classes_of(c) & wanted) != 0;
}

/// True for the empty text.
inline bool all_are(CharacterClass wanted, std::string_view text) {
  unsigned common = wanted;
  for (char c : text) common &= classes_of(c);
  return common == wanted;
}

}  // namespace weir::net
