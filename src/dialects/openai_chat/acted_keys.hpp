#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "dialects/json/cursor.hpp"

namespace weir::openai_chat {

/// Which of the names that weir acts on a key is. A key that another reader could take for one of them (an escape,
/// another case, or one of the two letters that fold to ASCII: Go's decoder matches keys so) is `misspelt`: we would
/// decide without it and the provider with it.
struct KeyMatch {
  static constexpr std::size_t other = static_cast<std::size_t>(-1);
  std::size_t name = other;  ///< index into the names
  bool misspelt = false;
};

KeyMatch match_folded(const json::String& key, std::span<const std::string_view> names);

inline KeyMatch match_key(const json::String& key, std::span<const std::string_view> names) {
  bool plain = !key.escaped;
  if (plain) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (key.raw == names[i]) return {i, false};
    }
    for (const char c : key.raw)
      plain = plain && static_cast<unsigned>(c - 'A') > 25 && static_cast<signed char>(c) >= 0;
  }
  return plain ? KeyMatch{} : match_folded(key, names);
}

}  // namespace weir::openai_chat
