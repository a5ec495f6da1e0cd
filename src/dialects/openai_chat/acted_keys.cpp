#include "dialects/openai_chat/acted_keys.hpp"

namespace weir::openai_chat {

KeyMatch match_folded(const json::String& key, std::span<const std::string_view> names) {
  constexpr std::size_t longest_spelling = 21 * 6;  // every letter of the longest name as \uXXXX
  if (key.raw.size() > longest_spelling) return {};
  const std::string text = json::decode(key);
  std::string folded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view{text}.substr(i);
    if (rest.starts_with("\xC5\xBF")) {  // U+017F, long s
      folded.push_back('s');
      i += 1;
    } else if (rest.starts_with("\xE2\x84\xAA")) {  // U+212A, kelvin
      folded.push_back('k');
      i += 2;
    } else {
      const char c = text[i];
      folded.push_back(static_cast<unsigned>(c - 'A') <= 25 ? static_cast<char>(c | 0x20) : c);
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (folded == names[i]) return {i, true};
  }
  return {};
}

}  // namespace weir::openai_chat
