#include "dialects/openai_chat/reply_reader.hpp"

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/choices_reader.hpp"
#include "dialects/openai_chat/usage_reader.hpp"

namespace weir::openai_chat {
namespace {

bool read_facts(std::string_view body, ReplyFacts& facts) {
  json::Cursor cursor{body};
  if (cursor.peek() != '{') return false;
  Generated generated;
  const auto member = [&](const json::String& key, std::size_t) {
    const std::string_view name = key.raw;
    if (name == "choices") return read_choices(cursor, generated);
    if (name == "usage" && cursor.peek() == '{') {
      if (!read_usage(cursor, facts.usage)) return false;
      facts.usage_end = facts.usage.reported ? static_cast<std::uint32_t>(cursor.offset() - 1) : 0;
      return true;
    }
    if (name == "model" && cursor.peek() == '"') {
      json::String model;
      if (!cursor.read_string(model)) return false;
      facts.model = json::decode(model);
      return true;
    }
    if (name == "error") facts.error = cursor.peek() != 'n';
    return cursor.skip_value();
  };
  if (!cursor.read_object(member) || !cursor.at_end()) return false;
  facts.choices = generated.choices;
  facts.text_bytes = generated.text_bytes;
  facts.finish_reason = generated.finish_reason;
  return true;
}

std::string why_not(std::string_view body) {
  const std::size_t text = body.find_first_not_of(" \t\r\n");
  if (text == std::string_view::npos) return "The provider's reply is empty.";
  if (body[text] == '<') return "The provider's reply is a web page, not JSON.";
  return "The provider's reply is not a whole JSON object.";
}

}  // namespace

std::expected<ReplyFacts, std::string> read_reply(std::string_view body) {
  ReplyFacts facts;
  if (!read_facts(body, facts) || !json::valid_utf8(body)) return std::unexpected(why_not(body));
  return facts;
}

}  // namespace weir::openai_chat
