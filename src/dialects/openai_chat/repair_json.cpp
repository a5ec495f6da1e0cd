#include "dialects/openai_chat/repair_json.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "dialects/json/cursor.hpp"
#include "dialects/json/text.hpp"

namespace weir::openai_chat {
namespace {

constexpr std::size_t kStartsMax = 32;  // brackets in prose are tried one by one: bounded

bool is_json(std::string_view text) {
  json::Cursor cursor{text};
  const char first = cursor.peek();
  return (first == '{' || first == '[') && cursor.skip_value() && cursor.at_end();
}

/// The text from a bracket to the one that closes it, commas before closing brackets left out; empty = it is not
/// closed. `end`: behind it.
std::string balanced(std::string_view text, std::size_t begin, std::size_t& end) {
  std::string closing;  // the brackets that are still to come, innermost last
  std::string out;
  std::size_t comma = std::string::npos;  // in `out`, behind a value and with nothing but white space behind it
  char last = '\0';                       // before white space
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      const std::size_t from = at;
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
      if (at >= text.size()) return {};
      out.append(text.substr(from, at + 1 - from));
      comma = std::string::npos;
      last = '"';
      continue;
    }
    if (c == '{' || c == '[') closing.push_back(c == '{' ? '}' : ']');
    if (c == '}' || c == ']') {
      if (closing.empty() || closing.back() != c) return {};
      closing.pop_back();
      if (comma != std::string::npos) out.erase(comma, 1);
    }
    if (c == ',') {
      comma = last == '[' || last == '{' || last == ',' ? std::string::npos : out.size();
    } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      comma = std::string::npos;
    }
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') last = c;
    out.push_back(c);
    if (closing.empty()) {
      end = at + 1;
      return out;
    }
  }
  return {};
}

/// Reads `choices[].message.content`: where each stands, with its quotes, and what it says.
struct Content {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};
bool read_contents(std::string_view body, std::vector<Content>& contents) {
  json::Cursor cursor{body};
  if (cursor.peek() != '{') return false;
  const auto message = [&](const json::String& key, std::size_t) {
    if (key.raw != "content" || cursor.peek() != '"') return cursor.skip_value();
    const std::size_t begin = cursor.offset();
    json::String text;
    if (!cursor.read_string(text)) return false;
    contents.push_back({begin, cursor.offset(), decode(text)});
    return true;
  };
  const auto choice = [&](const json::String& key, std::size_t) {
    return key.raw == "message" && cursor.peek() == '{' ? cursor.read_object(message) : cursor.skip_value();
  };
  const auto member = [&](const json::String& key, std::size_t) {
    if (key.raw != "choices" || cursor.peek() != '[') return cursor.skip_value();
    return cursor.read_array([&] { return cursor.peek() == '{' ? cursor.read_object(choice) : cursor.skip_value(); });
  };
  return cursor.read_object(member) && cursor.at_end();
}

}  // namespace

std::optional<std::string> repair_json(std::string_view text) {
  if (is_json(text)) return std::nullopt;
  // The longest piece that is JSON wins: "see [1]: {…}" means the object.
  std::string best;
  std::size_t at = 0;
  for (std::size_t tried = 0; tried < kStartsMax; ++tried) {
    at = text.find_first_of("{[", at);
    if (at == std::string_view::npos) break;
    std::size_t end = at + 1;
    std::string piece = balanced(text, at, end);
    if (piece.size() > best.size() && is_json(piece)) {
      best = std::move(piece);
      at = end;
    } else {
      ++at;
    }
  }
  return best.empty() ? std::nullopt : std::optional{std::move(best)};
}

bool asks_for_json(std::string_view request_body) {
  json::Cursor cursor{request_body};
  if (cursor.peek() != '{') return false;
  bool asks = false;
  const auto format = [&](const json::String& key, std::size_t) {
    if (key.raw != "type" || cursor.peek() != '"') return cursor.skip_value();
    json::String type;
    if (!cursor.read_string(type)) return false;
    asks = type.raw == "json_object" || type.raw == "json_schema";
    return true;
  };
  const auto member = [&](const json::String& key, std::size_t) {
    return key.raw == "response_format" && cursor.peek() == '{' ? cursor.read_object(format) : cursor.skip_value();
  };
  return cursor.read_object(member) && asks;
}

std::optional<std::string> repair_reply(std::string_view reply_body) {
  std::vector<Content> contents;
  if (!read_contents(reply_body, contents)) return std::nullopt;
  std::string mended;
  std::size_t at = 0;
  for (const Content& content : contents) {
    const auto repaired = repair_json(content.text);
    if (!repaired) continue;
    mended.append(reply_body.substr(at, content.begin - at)).append(json::quoted(*repaired));
    at = content.end;
  }
  if (at == 0) return std::nullopt;
  return mended.append(reply_body.substr(at));
}

}  // namespace weir::openai_chat
