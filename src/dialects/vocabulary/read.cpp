#include "dialects/vocabulary/read.hpp"

#include <charconv>
#include <cmath>

namespace weir::vocabulary {

bool read_null(json::Cursor& cursor) {
  return cursor.peek() == 'n' ? cursor.read_word("null") : cursor.fail("null");
}

bool read_text(json::Cursor& cursor, Text& into) {
  const char first = cursor.peek();
  if (first == 'n') return cursor.read_word("null");
  if (first != '"') return cursor.fail("a string");
  json::String text;
  if (!cursor.read_string(text)) return false;
  into = Text::escaped(text.raw);
  return true;
}

bool read_bool(json::Cursor& cursor, bool& into) {
  std::optional<bool> read;
  if (!read_bool(cursor, read)) return false;
  into = read.value_or(into);
  return true;
}

bool read_bool(json::Cursor& cursor, std::optional<bool>& into) {
  const char first = cursor.peek();
  if (first == 'n') return cursor.read_word("null");
  if (first != 't' && first != 'f') return cursor.fail("true or false");
  if (!cursor.read_word(first == 't' ? "true" : "false")) return false;
  into = first == 't';
  return true;
}

bool read_number(json::Cursor& cursor, std::string_view& into) {
  const char first = cursor.peek();
  if (first == 'n') return cursor.read_word("null");
  if (first != '-' && static_cast<unsigned>(first - '0') > 9) return cursor.fail("a number");
  json::Number number;
  if (!cursor.read_number(number)) return false;
  into = number.raw;
  return true;
}

bool read_integer(json::Cursor& cursor, std::optional<std::int64_t>& into) {
  std::string_view raw;
  if (!read_number(cursor, raw)) return false;
  if (raw.empty()) return true;
  std::int64_t value = 0;
  const char* end = raw.data() + raw.size();
  if (const auto [stop, error] = std::from_chars(raw.data(), end, value); error == std::errc{} && stop == end) {
    into = value;
    return true;
  }
  constexpr double exact_max = 9007199254740992.0;
  double number = 0;
  std::from_chars(raw.data(), end, number);
  if (std::abs(number) > exact_max || number != std::floor(number)) return cursor.fail("an integer");
  into = static_cast<std::int64_t>(number);
  return true;
}

bool read_integer(json::Cursor& cursor, std::int64_t& into) {
  std::optional<std::int64_t> read;
  if (!read_integer(cursor, read)) return false;
  into = read.value_or(into);
  return true;
}

bool read_seconds(json::Cursor& cursor, std::int64_t& into) {
  const char first = cursor.peek();
  if (first != '-' && static_cast<unsigned>(first - '0') > 9) return cursor.skip_value();
  std::string_view raw;
  if (!read_number(cursor, raw)) return false;
  constexpr double latest = 1e12;
  double seconds = 0;
  std::from_chars(raw.data(), raw.data() + raw.size(), seconds);
  if (seconds > 0 && seconds < latest) into = static_cast<std::int64_t>(seconds);
  return true;
}

bool read_raw(json::Cursor& cursor, std::string_view text, std::string_view& into) {
  if (cursor.peek() == 'n') return cursor.read_word("null");
  const std::size_t begin = cursor.offset();
  if (!cursor.skip_value()) return false;
  into = text.substr(begin, cursor.offset() - begin);
  return true;
}

bool read_raw_object(json::Cursor& cursor, std::string_view text, std::string_view& into) {
  const char first = cursor.peek();
  if (first != 'n' && first != '{') return cursor.fail("an object");
  return read_raw(cursor, text, into);
}

}  // namespace weir::vocabulary
