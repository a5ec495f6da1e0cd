#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::settings {

/// One model as it lies in the binary. The rows are made from config/prices.yaml by table_main.cpp at build time.
struct PriceRow {
  std::string_view id, vendor, as_of, source;
  std::string_view aliases;                             ///< one per line
  std::int64_t input, output, cache_read, cache_write;  ///< nano-dollars per million tokens
  std::int64_t window, output_max, cacheable_from;
  std::uint8_t abilities;  ///< kAbilitiesKnown and one bit per ability
};

inline constexpr std::uint8_t kAbilitiesKnown = 0x80;

extern const PriceRow kPriceRows[];
extern const std::size_t kPriceRowCount;

}  // namespace weir::settings
