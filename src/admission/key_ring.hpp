#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <weir/exchange/caller.hpp>
#include "admission/settings.hpp"

namespace weir::admission {

/// One key that opens the door, and the caller that it stands for.
struct Key : Caller {
  KeySettings settings;
  std::array<unsigned char, 32> hash{};

  bool may_ask_model(std::string_view model) const;
  bool may_ask_route(std::string_view route) const;
};

/// The keys of one settings snapshot, found by their hash: a digest and one look-up, whatever their number. Two keys
/// may share a name while one replaces the other. Thread: immutable, any. Lifetime: Keys and Callers live as long as it
/// does; it does not move.
class KeyRing {
 public:
  /// Requires: hashes are well-formed (the settings and the key file have checked them).
  explicit KeyRing(const std::vector<KeySettings>& keys);
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  bool empty() const { return keys_.empty(); }
  /// The key that was given, or null. Takes a time that tells nothing of how near a wrong one came.
  const Key* find(std::string_view given) const;
  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<Key> keys_;
  std::vector<std::uint32_t> places_;  ///< open addressing by the hash's first bytes; 0 = free, else index + 1
};

}  // namespace weir::admission
