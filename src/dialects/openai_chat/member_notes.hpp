#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "dialects/openai_chat/acted_keys.hpp"
#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

/// Offsets within a body are of 32 bits: bodies are smaller than 4 GiB.
inline std::uint32_t narrow(std::size_t offset) {
  return static_cast<std::uint32_t>(offset);
}

/// Notices names that come twice or misspelt; one per object.
class Once {
 public:
  /// The index of the name, or KeyMatch::other; sets `clash` when the key may not stand here.
  std::size_t take(const json::String& key, std::span<const std::string_view> names, bool& clash) {
    const KeyMatch match = match_key(key, names);
    if (match.name == KeyMatch::other) return match.name;
    clash = match.misspelt || (seen_ & (1U << match.name)) != 0;
    seen_ |= 1U << match.name;
    return match.name;
  }

 private:
  std::uint32_t seen_ = 0;
};

/// Fills in the commas around members while an object is read.
class CommaNotes {
 public:
  void member_begins(std::size_t key, bool ours, MemberSpan* member, std::string_view body) {
    std::size_t comma = MemberSpan::none;
    if (!first_) {
      comma = key;
      while (body[comma] != ',') --comma;  // only white space stands between
    }
    first_ = false;
    if (pending_ != nullptr) pending_->comma_after = narrow(comma);
    pending_ = ours ? member : nullptr;
    if (!ours) return;
    member->key = narrow(key);
    member->comma_before = narrow(comma);
  }

 private:
  bool first_ = true;
  MemberSpan* pending_ = nullptr;
};

}  // namespace weir::openai_chat
