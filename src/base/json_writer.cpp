#include "base/json_writer.hpp"

#include <array>

namespace weir {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::array<std::int64_t, 10> kPowers{1,       10,        100,        1'000,       10'000,
                                               100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

/// True when one of eight bytes may need care: below 0x20, above 0x7E's neighbours, a quote or a backslash. It may
/// also be true for harmless bytes (the subtraction borrows); never false for the others.
bool may_need_care(std::uint64_t word) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  const std::uint64_t control = word - 0x20 * ones;
  const std::uint64_t quote = (word ^ (0x22 * ones)) - ones;
  const std::uint64_t backslash = (word ^ (0x5C * ones)) - ones;
  return ((word | control | quote | backslash) & (0x80 * ones)) != 0;
}

bool needs_care(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\';
}

/// Length of the UTF-8 character at the front, 0 if there is none (RFC 3629, section 4).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

void JsonWriter::string(std::string_view text, std::size_t bytes_max) {
  text = cut_text(text, bytes_max);
  if (!has_room(text.size() + 2)) return;
  char* at = at_;
  *at++ = '"';
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if (may_need_care(word)) return string_with_care(text);
    std::memcpy(at + i, &word, 8);
  }
  for (; i < text.size(); ++i) {
    if (needs_care(text[i])) return string_with_care(text);
    at[i] = text[i];
  }
  at[i] = '"';
  at_ = at + i + 1;
}

void JsonWriter::string_with_care(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  if (!has_room(text.size() * 6 + 2)) return;
  *at_++ = '"';
  while (!text.empty()) {
    const char c = text.front();
    std::size_t length = 1;
    if (c == '"' || c == '\\') {
      *at_++ = '\\';
      *at_++ = c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      const auto byte = static_cast<unsigned char>(c);
      const char escaped[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
      std::memcpy(at_, escaped, 6);
      at_ += 6;
    } else if (length = utf8_length(text); length > 0) {
      std::memcpy(at_, text.data(), length);
      at_ += length;
    } else {
      length = 1;
      std::memcpy(at_, kReplacement.data(), kReplacement.size());
      at_ += kReplacement.size();
    }
    text.remove_prefix(length);
  }
  *at_++ = '"';
}

void JsonWriter::decimal(std::int64_t value, unsigned digits) {
  if (!has_room(32) || digits >= kPowers.size()) return;
  if (value < 0) {
    *at_++ = '-';
    value = -value;
  }
  at_ = std::to_chars(at_, end_, value / kPowers[digits]).ptr;
  if (digits == 0) return;
  *at_++ = '.';
  std::int64_t rest = value % kPowers[digits];
  for (unsigned i = digits; i > 0; --i) {
    at_[i - 1] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  at_ += digits;
}

std::string json_string(std::string_view text) {
  std::string out(text.size() * 6 + 2, '\0');
  JsonWriter writer{out.data(), out.data() + out.size()};
  writer.string(text);
  out.resize(static_cast<std::size_t>(writer.at() - out.data()));
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out += length > 0 ? text.substr(0, length) : kReplacement;
    text.remove_prefix(length > 0 ? length : 1);
  }
  return out;
}

}  // namespace weir
