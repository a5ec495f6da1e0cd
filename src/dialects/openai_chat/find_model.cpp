#include "dialects/openai_chat/find_model.hpp"

#include <array>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/acted_keys.hpp"

namespace weir::openai_chat {

std::expected<std::optional<FoundModel>, Refusal> find_model(std::string_view body) {
  constexpr std::array<std::string_view, 1> names{"model"};
  json::Cursor cursor{body};
  if (cursor.peek() != '{') return std::nullopt;
  std::optional<FoundModel> found;
  bool seen = false;
  bool clash = false;
  const auto member = [&](const json::String& key, std::size_t) {
    const KeyMatch match = match_key(key, names);
    if (match.name == KeyMatch::other) return cursor.skip_value();
    clash = clash || seen || match.misspelt;
    seen = true;
    if (cursor.peek() != '"') return cursor.skip_value();
    const std::size_t begin = cursor.offset();
    json::String model;
    if (!cursor.read_string(model)) return false;
    found = FoundModel{model.escaped ? Text{json::decode(model)} : Text{model.raw},
                       {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(cursor.offset())}};
    return true;
  };
  if (!cursor.read_object(member) || !cursor.at_end() || !json::valid_utf8(body)) return std::nullopt;
  if (clash) {
    return std::unexpected(Refusal{Failure::client_malformed,
                                   "Write the key \"model\" once, in lower case and without escapes: other readers "
                                   "could take another value for it.",
                                   "model", "duplicate_key"});
  }
  return found;
}

}  // namespace weir::openai_chat
