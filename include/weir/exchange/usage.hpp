#pragma once
#include <cstdint>

namespace weir {

/// What a provider billed for, in tokens, the same for every dialect.
/// Invariants: prompt = uncached + cache_read + cache_write; output contains reasoning (usage_holds()).
struct Usage {
  std::int64_t uncached = 0;
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
  std::int64_t output = 0;     ///< all that was generated, reasoning included
  std::int64_t reasoning = 0;  ///< the part of `output` that was not shown
  bool reported = false;       ///< the provider said so; false = nothing known yet
  bool estimated = false;      ///< counted by us from bytes / 4

  std::int64_t prompt() const { return uncached + cache_read + cache_write; }
  bool operator==(const Usage&) const = default;
};

inline bool usage_holds(const Usage& usage) {
  return usage.uncached >= 0 && usage.cache_read >= 0 && usage.cache_write >= 0 && usage.reasoning >= 0 &&
         usage.output >= usage.reasoning;
}

/// Until exact tokenisers come: four bytes of text are about one token of English.
inline std::int64_t tokens_from_bytes(std::uint64_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

}  // namespace weir
