#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/text.hpp"

/// Reading values with a json::Cursor. Where a value is null the target stays as it was. False: not JSON, or another
/// type than asked for; the cursor's problem() says what was expected. Requires: the cursor is before a value.
namespace weir::vocabulary {

bool read_null(json::Cursor& cursor);
bool read_text(json::Cursor& cursor, Text& into);
bool read_bool(json::Cursor& cursor, bool& into);
bool read_bool(json::Cursor& cursor, std::optional<bool>& into);
bool read_integer(json::Cursor& cursor, std::optional<std::int64_t>& into);  ///< takes 1.0 too
bool read_integer(json::Cursor& cursor, std::int64_t& into);
bool read_number(json::Cursor& cursor, std::string_view& into);  ///< as spelled
/// A time that need not be an integer, or not a number at all: then 0 stays.
bool read_seconds(json::Cursor& cursor, std::int64_t& into);
/// The bytes of whatever value comes; `text`: what the cursor reads. Null leaves `into` as it was.
bool read_raw(json::Cursor& cursor, std::string_view text, std::string_view& into);
/// As read_raw, but only an object.
bool read_raw_object(json::Cursor& cursor, std::string_view text, std::string_view& into);

/// `member(std::string_view key)` for each member of an object; nothing for null. It must read or skip the value.
template <class Member>
bool each_member(json::Cursor& cursor, Member&& member) {
  if (cursor.peek() == 'n') return cursor.read_word("null");
  if (cursor.peek() != '{') return cursor.fail("an object");
  return cursor.read_object([&](const json::String& key, std::size_t) {
    if (!key.escaped) return member(key.raw);
    const std::string name = json::decode(key);
    return member(std::string_view{name});
  });
}

/// `element()` for each element of an array; nothing for null.
template <class Element>
bool each_element(json::Cursor& cursor, Element&& element) {
  if (cursor.peek() == 'n') return cursor.read_word("null");
  if (cursor.peek() != '[') return cursor.fail("an array");
  return cursor.read_array(element);
}

}  // namespace weir::vocabulary
