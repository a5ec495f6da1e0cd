#pragma once
#include <cstdint>
#include <string>

#include <weir/base/strong.hpp>

namespace weir {

/// Money in billionths of a US dollar: integers, so sums reconcile to the last digit.
using NanoDollars = Strong<std::int64_t, struct NanoDollarsTag>;

inline constexpr std::int64_t nano_dollars_per_dollar = 1'000'000'000;

inline NanoDollars operator+(NanoDollars a, NanoDollars b) {
  return {a.value + b.value};
}
inline double to_dollars(NanoDollars amount) {
  return static_cast<double>(amount.value) / static_cast<double>(nano_dollars_per_dollar);
}

/// "0.000123456": always nine decimals, so that texts reconcile as the integers do. Valid JSON.
std::string dollars_text(NanoDollars amount);

}  // namespace weir
