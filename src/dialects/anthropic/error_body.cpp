#include "dialects/anthropic/error_body.hpp"

#include "dialects/json/cursor.hpp"
#include "dialects/json/utf8.hpp"

namespace weir::anthropic {

bool is_well_formed_error(std::string_view body) {
  json::Cursor cursor{body};
  bool tagged = false;
  bool has_type = false;
  bool has_message = false;
  const auto inside = [&](const json::String& key, std::size_t) {
    const bool text = cursor.peek() == '"';
    has_type = has_type || (key.raw == "type" && text);
    has_message = has_message || (key.raw == "message" && text);
    return cursor.skip_value();
  };
  const auto member = [&](const json::String& key, std::size_t) {
    const char first = cursor.peek();
    if (key.raw == "error" && first == '{') return cursor.read_object(inside);
    if (key.raw != "type" || first != '"') return cursor.skip_value();
    json::String type;
    if (!cursor.read_string(type)) return false;
    tagged = type.raw == "error";
    return true;
  };
  if (cursor.peek() != '{' || !cursor.read_object(member) || !cursor.at_end() || !json::valid_utf8(body)) return false;
  return tagged && has_type && has_message;
}

}  // namespace weir::anthropic
