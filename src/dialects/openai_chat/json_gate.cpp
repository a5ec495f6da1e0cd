#include "dialects/openai_chat/json_gate.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <weir/base/result.hpp>
#include <weir/exchange/limits.hpp>

#include "dialects/json/cursor.hpp"
#include "dialects/json/utf8.hpp"

namespace weir::openai_chat {

struct JsonGate::Parser {
  Parser() : dom(limits::dom_bytes_max) {
    // A fixed capacity, so that it never grows while it parses. simdjson refuses from its depth on, hence one more; the
    // cursor behind it holds the exact limit.
    if (dom.allocate(limits::dom_bytes_max, limits::json_depth_max + 1) != simdjson::SUCCESS) throw std::bad_alloc{};
  }
  simdjson::dom::parser dom;
};

JsonGate::JsonGate() = default;
JsonGate::~JsonGate() = default;

bool JsonGate::accepts(std::string_view text, std::size_t readable_slack) {
  WEIR_ENSURE(text.size() <= limits::dom_bytes_max);
  if (!parser_) parser_ = std::make_unique<Parser>();
  const bool needs_copy = readable_slack < simdjson::SIMDJSON_PADDING;
  return parser_->dom.parse(text.data(), text.size(), needs_copy).error() == simdjson::SUCCESS;
}

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
