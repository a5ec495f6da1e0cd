#pragma once
#include <cstdint>

namespace weir {

/// Dice for ids, jitter and sampling: xoshiro256++ (Blackman and Vigna), seeded from the kernel. Never for secrets.
/// Thread: one per thread.
class Random {
 public:
  Random();  ///< seeded from the kernel's entropy
  explicit Random(std::uint64_t seed);
  std::uint64_t next();

 private:
  std::uint64_t state_[4];
};

}  // namespace weir
