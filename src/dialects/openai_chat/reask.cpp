#include "dialects/openai_chat/reask.hpp"

#include <algorithm>
#include <array>

#include <weir/base/hash.hpp>
#include "dialects/json/cursor.hpp"

namespace weir::openai_chat {
namespace {

// What parsers, validators and the libraries that ask again say (json, JSON.parse, pydantic, instructor, LangChain), in
// lower case. Each begins with a letter. docs/failures.md lists them.
constexpr std::array<std::string_view, 24> kComplaints{
    "validation error", "validationerror",     "failed validation",  "schema validation", "parse error",
    "parsing error",    "parsing failed",      "failed to parse",    "could not parse",   "could not be parsed",
    "couldn't parse",   "cannot parse",        "cannot be parsed",   "unable to parse",   "not valid json",
    "not a valid json", "invalid json",        "malformed json",     "jsondecodeerror",   "expecting value",
    "unexpected token", "unterminated string", "does not match the", "did not satisfy"};

constexpr std::uint32_t kFirstLetters = [] {
  std::uint32_t letters = 0;
  for (const std::string_view phrase : kComplaints) letters |= 1U << (phrase.front() - 'a');
  return letters;
}();

// Errors stand at the beginning, and instructions what to do about them at the end, of what may quote a whole answer.
constexpr std::size_t kLookedAt = 2'048;
// Before its content a message has little: its role, an id. What comes later is not looked for.
constexpr std::size_t kContentWithin = 160;

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

bool begins_with(std::string_view text, std::string_view phrase) {
  return text.size() >= phrase.size() && std::ranges::equal(text.substr(0, phrase.size()), phrase, {}, lower);
}

std::string_view of(std::string_view body, const Span& span) {
  return body.substr(span.begin, span.size());
}

/// The text of a message behind `key` and a colon, from its first character that is no white space.
std::string_view text_after(std::string_view message, std::string_view key) {
  const std::size_t found = message.substr(0, kContentWithin).find(key);
  if (found == std::string_view::npos) return {};
  std::string_view text = message.substr(found + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \n\r\t:"), text.size()));
  if (!text.starts_with('"')) return text;
  text.remove_prefix(1);
  while (text.starts_with(' ') || text.starts_with("\\n") || text.starts_with("\\r") || text.starts_with("\\t")) {
    text.remove_prefix(text.front() == ' ' ? 1 : 2);
  }
  return text;
}

bool answers_in_json(std::string_view answer) {
  std::string_view text = text_after(answer, R"("content")");
  if (text.starts_with('[') && text.substr(0, kContentWithin).find(R"("type")") != std::string_view::npos) {
    text = text_after(text, R"("text":)");  // blocks, as Anthropic's and Responses' contents are
  }
  return text.starts_with('{') || text.starts_with('[') || text.starts_with("```json") || text.starts_with("```\\n{") ||
         text.starts_with("```\\n[");
}

bool asks_for_form(std::string_view body, const HistoryEnd& end) {
  return of(body, end.format).substr(0, kLookedAt).find("json_") != std::string_view::npos ||
         of(body, end.tool_choice).find(R"("name")") != std::string_view::npos;
}

std::string_view role_of(std::string_view message) {
  json::Cursor cursor(message);
  std::string_view found;
  const auto member = [&](const json::String& key, std::size_t) {
    if (key.raw != "role" || cursor.peek() != '"') return cursor.skip_value();
    json::String role;
    if (!cursor.read_string(role)) return false;
    found = role.raw;
    return true;
  };
  return cursor.peek() == '{' && cursor.read_object(member) ? found : std::string_view();
}

}  // namespace

bool complains_of_form(std::string_view text) {
  bool within_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = lower(text[i]);
    if (c == '\\') {
      ++i;  // \n before a word is no letter of it
      within_word = false;
      continue;
    }
    const bool starts = letter(c) && !within_word;
    within_word = letter(c);
    if (!starts || (kFirstLetters >> (c - 'a') & 1) == 0) continue;
    const std::string_view rest = text.substr(i);
    if (std::ranges::any_of(kComplaints, [rest](std::string_view phrase) { return begins_with(rest, phrase); })) {
      return true;
    }
  }
  return false;
}

std::uint64_t reask_of(std::string_view body, const HistoryEnd& end) {
  if (end.before.empty()) return 0;
  const std::string_view answer = of(body, end.answer);
  const std::string_view last = of(body, end.last);
  if (!answers_in_json(answer) && !asks_for_form(body, end)) return 0;
  const bool short_one = last.size() <= 2 * kLookedAt;
  if (!complains_of_form(short_one ? last : last.substr(0, kLookedAt)) &&
      (short_one || !complains_of_form(last.substr(last.size() - kLookedAt)))) {
    return 0;
  }
  const std::string_view asks = role_of(last);
  if (role_of(answer) != "assistant" || (asks != "user" && asks != "tool")) return 0;
  return hash_bytes(of(body, end.before));
}

}  // namespace weir::openai_chat
