#include "dialects/vocabulary/text.hpp"

#include "dialects/json/cursor.hpp"
#include "dialects/json/text.hpp"

namespace weir::vocabulary {

void Text::append_quoted(std::string& to) const {
  if (!is_escaped()) return json::append_quoted(to, bytes());
  to.reserve(to.size() + view_.size() + 2);
  to.push_back('"');
  to += view_;
  to.push_back('"');
}

void Text::append_escaped(std::string& to) const {
  if (is_escaped()) {
    to += view_;
    return;
  }
  const std::size_t at = to.size();
  json::append_quoted(to, bytes());
  to.erase(at, 1);
  to.pop_back();
}

void Text::append_plain(std::string& to) const {
  if (is_escaped() && view_.find('\\') != std::string_view::npos) {
    to += json::decode({view_, true});
  } else {
    to += bytes();
  }
}

bool Text::operator==(std::string_view text) const {
  if (is_escaped() && view_.find('\\') != std::string_view::npos) return json::decode({view_, true}) == text;
  return bytes() == text;
}

}  // namespace weir::vocabulary
