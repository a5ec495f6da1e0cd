#include "dialects/json/cursor.hpp"

#include <bitset>
#include <charconv>
#include <cmath>

namespace weir::json {
namespace {

bool is_digit(char c) {
  return static_cast<unsigned>(c - '0') <= 9;
}

/// Whether a number with fraction or exponent is below infinity as a double. Its magnitude decides; only at the very
/// border it is converted, so that underflow, which is no error, needs no telling apart.
bool is_finite(std::string_view number) {
  constexpr std::int64_t border = 308;
  std::int64_t magnitude = 0;  // the power of ten of the first digit that is not zero
  bool nonzero = false;
  bool fraction = false;
  std::size_t i = number.front() == '-' ? 1 : 0;
  for (; i < number.size() && number[i] != 'e' && number[i] != 'E'; ++i) {
    if (number[i] == '.') {
      fraction = true;
    } else if (nonzero) {
      magnitude += fraction ? 0 : 1;
    } else {
      nonzero = number[i] != '0';
      magnitude -= fraction ? 1 : 0;
    }
  }
  if (!nonzero) return true;
  if (i < number.size()) {
    ++i;
    const bool negative = number[i] == '-';
    if (number[i] == '-' || number[i] == '+') ++i;
    std::int64_t exponent = 0;
    for (; i < number.size() && exponent < 1'000'000'000'000; ++i) exponent = exponent * 10 + (number[i] - '0');
    magnitude += negative ? -exponent : exponent;
  }
  if (magnitude != border) return magnitude < border;
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc{} && std::isfinite(value);
}

bool fits_64_bits(std::string_view number) {
  const char* end = number.data() + number.size();
  std::int64_t with_sign = 0;
  std::uint64_t without = 0;
  return number.front() == '-' ? std::from_chars(number.data(), end, with_sign).ec == std::errc{}
                               : std::from_chars(number.data(), end, without).ec == std::errc{};
}

void append_utf8(std::string& to, std::uint32_t code) {
  const auto put = [&to](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::uint32_t hex4(const char* digits) {
  std::uint32_t unit = 0;
  std::from_chars(digits, digits + 4, unit, 16);
  return unit;
}

}  // namespace

bool Cursor::read_number(Number& into) {
  const char* from = at_;
  if (*at_ == '-') ++at_;
  if (at_ == end_ || !is_digit(*at_)) return fail("a digit");
  const char* digits = at_;
  if (*at_ == '0') {
    ++at_;
  } else {
    while (at_ != end_ && is_digit(*at_)) ++at_;
  }
  constexpr std::ptrdiff_t always_fit = 18;
  bool looks_large = at_ - digits > always_fit;
  into.integer = true;
  if (at_ != end_ && *at_ == '.') {
    into.integer = false;
    ++at_;
    if (at_ == end_ || !is_digit(*at_)) return fail("a digit");
    while (at_ != end_ && is_digit(*at_)) ++at_;
  }
  if (at_ != end_ && (*at_ | 0x20) == 'e') {
    into.integer = false;
    looks_large = true;
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (at_ == end_ || !is_digit(*at_)) return fail("a digit");
    while (at_ != end_ && is_digit(*at_)) ++at_;
  }
  into.raw = {from, static_cast<std::size_t>(at_ - from)};
  if (!looks_large || (into.integer ? fits_64_bits(into.raw) : is_finite(into.raw))) return true;
  at_ = from;
  return fail("a number within the range of 64 bits");
}

bool Cursor::skip_value() {
  std::bitset<limits::json_depth_max + 1> is_object;
  const std::size_t outside = depth_;
  for (;;) {
    const char first = peek();
    bool open = false;
    if (first == '{' || first == '[') {
      if (!enter()) return false;
      is_object[depth_] = first == '{';
      open = peek() != (first == '{' ? '}' : ']');
      if (!open) leave();
      if (open && first == '{') {
        String key;
        if (!read_key(key)) return false;
      }
    } else if (!skip_scalar(first)) {
      return false;
    }
    if (open) continue;
    for (;;) {  // a value has ended: what is around it goes on or ends too
      if (depth_ == outside) return true;
      const bool object = is_object[depth_];
      const char next = peek();
      if (next == ',') {
        ++at_;
        if (object) {
          String key;
          if (!read_key(key)) return false;
        }
        break;
      }
      if (next != (object ? '}' : ']')) return fail(object ? "',' or '}'" : "',' or ']'");
      leave();
    }
  }
}

bool Cursor::read_hex4(std::uint32_t& unit) {
  if (end_ - at_ < 4) return fail("four hexadecimal digits");
  unit = 0;
  const auto [stop, error] = std::from_chars(at_, at_ + 4, unit, 16);
  if (error != std::errc{} || stop != at_ + 4) return fail("four hexadecimal digits");
  at_ += 4;
  return true;
}

bool Cursor::pass_escape() {
  ++at_;
  const char kind = at_ == end_ ? '\0' : *at_++;
  if (kind != 'u') {
    return (kind != '\0' && std::string_view{"\"\\/bfnrt"}.find(kind) != std::string_view::npos) ||
           fail("an escape that JSON knows");
  }
  std::uint32_t unit = 0;
  if (!read_hex4(unit)) return false;
  if (unit < 0xD800 || unit > 0xDFFF) return true;
  std::uint32_t low = 0;
  if (unit > 0xDBFF || end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return fail("a pair of surrogates");
  at_ += 2;
  if (!read_hex4(low)) return false;
  return (low >= 0xDC00 && low <= 0xDFFF) || fail("a pair of surrogates");
}

std::string decode(const String& text) {
  if (!text.escaped) return std::string{text.raw};
  std::string plain;
  plain.reserve(text.raw.size());
  constexpr std::string_view letters = "bfnrt";
  constexpr std::string_view meanings = "\b\f\n\r\t";
  for (std::size_t i = 0; i < text.raw.size(); ++i) {
    if (text.raw[i] != '\\') {
      plain.push_back(text.raw[i]);
      continue;
    }
    const char kind = text.raw[++i];
    if (kind == 'u') {
      std::uint32_t code = hex4(text.raw.data() + i + 1);
      i += 4;
      if (code >= 0xD800 && code <= 0xDBFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (hex4(text.raw.data() + i + 3) - 0xDC00);
        i += 6;
      }
      append_utf8(plain, code);
    } else if (const auto at = letters.find(kind); at != std::string_view::npos) {
      plain.push_back(meanings[at]);
    } else {
      plain.push_back(kind);
    }
  }
  return plain;
}

}  // namespace weir::json
