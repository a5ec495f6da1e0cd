#pragma once
#include <cstdint>
#include <string>

namespace weir::bench {

inline constexpr int kStreamPieces = 50;  ///< content chunks of a streamed answer
inline constexpr int kPlainPieces = 24;   ///< the same text, shorter, in one reply of about 0.8 kB

/// Appends piece `index` of the answer to the call with this `seed`. Mock and client make it alike, so the client knows
/// each byte it must get, and a byte of another call's answer shows.
inline void append_piece(std::string& out, std::uint64_t seed, int index) {
  std::uint64_t state = seed * 6364136223846793005U + static_cast<std::uint64_t>(index) * 1442695040888963407U;
  out += ' ';
  for (int i = 0; i < 15; ++i) {
    out += static_cast<char>('a' + (state >> 33U) % 26U);
    state = state * 6364136223846793005U + 1442695040888963407U;
  }
}

}  // namespace weir::bench
