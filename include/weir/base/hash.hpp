#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

/// A fast hash of bytes that is the same on every machine and in every run, to tell whether two texts are one. Not for
/// secrets and not against an adversary. Folded multiplications as in wyhash (Wang Yi), eight bytes a step.
inline std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t state = 0x9E3779B97F4A7C15U ^ bytes.size();
  const auto mix = [&state](std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(state ^ word) * 0xD6E8FEB86659FD93U;
    state = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    mix(word ^ 0xA0761D6478BD642FU);
  }
  std::uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  mix(word ^ (static_cast<std::uint64_t>(left) << 56));
  mix(0xE7037ED1A0B428DBU);
  return state == 0 ? 1 : state;  // 0 says: none
}

}  // namespace weir
