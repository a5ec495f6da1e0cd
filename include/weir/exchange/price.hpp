#pragma once
#include <cstdint>

#include <weir/exchange/money.hpp>
#include <weir/exchange/usage.hpp>

namespace weir {

/// What one model costs, in nano-dollars per million tokens (0.15 USD per million = 150'000'000).
struct Price {
  NanoDollars input;
  NanoDollars output;  ///< reasoning is billed as output
  NanoDollars cache_read;
  NanoDollars cache_write;
  bool operator==(const Price&) const = default;
};

/// The cost of one attempt, rounded half up once for the sum, so that no kind loses its own half.
inline NanoDollars cost_of(const Price& price, const Usage& usage) {
  constexpr std::int64_t million = 1'000'000;
  // 128 bits: a billion tokens at 100 dollars a million is past 63 bits before the division.
  const __int128 sum = static_cast<__int128>(usage.uncached) * price.input.value +
                       static_cast<__int128>(usage.cache_read) * price.cache_read.value +
                       static_cast<__int128>(usage.cache_write) * price.cache_write.value +
                       static_cast<__int128>(usage.output) * price.output.value;
  return {static_cast<std::int64_t>((sum + million / 2) / million)};
}

}  // namespace weir
