#include "dialects/openai_chat/json_problem.hpp"

#include <fmt/format.h>

#include "dialects/json/cursor.hpp"
#include "dialects/json/utf8.hpp"

namespace weir::openai_chat {

std::string describe_json_problem(std::string_view text) {
  if (text.empty()) return "The body is empty; send a JSON object.";
  json::Cursor cursor{text};
  const bool whole = cursor.skip_value() && cursor.at_end();
  const std::size_t checked = whole ? text.size() : cursor.offset();
  if (const std::size_t bad = json::first_bad_utf8(text.substr(0, checked)); bad < checked) {
    return fmt::format("The body is not JSON: byte {} is not part of UTF-8 text.", bad);
  }
  if (whole) return {};
  if (cursor.offset() >= text.size()) {
    return fmt::format("The body is not JSON: it ends after {} bytes where {} was expected.", text.size(),
                       cursor.problem());
  }
  return fmt::format("The body is not JSON: at byte {}, {} was expected.", cursor.offset(), cursor.problem());
}

}  // namespace weir::openai_chat
