#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <weir/exchange/money.hpp>

namespace weir {

/// By what a call became cheaper (or dearer) than it would have been without weir and without caches.
enum class SavingCause : std::uint8_t {
  exact_cache,
  semantic_cache,
  coalesced,
  compression,
  routing,
  provider_cache,
  batch,
  count_
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(SavingCause::count_)> kSavingCauseNames{
    "exact_cache", "semantic_cache", "coalesced", "compression", "routing", "provider_cache", "batch"};

constexpr std::string_view name_of(SavingCause cause) {
  return kSavingCauseNames[static_cast<std::size_t>(cause)];
}

/// What was saved against the counterfactual, by cause; parts may be negative (a cache write that was never read).
struct Savings {
  std::array<NanoDollars, static_cast<std::size_t>(SavingCause::count_)> by{};

  NanoDollars& operator[](SavingCause cause) { return by[static_cast<std::size_t>(cause)]; }
  NanoDollars operator[](SavingCause cause) const { return by[static_cast<std::size_t>(cause)]; }
  NanoDollars total() const {
    NanoDollars sum;
    for (const NanoDollars part : by) sum = sum + part;
    return sum;
  }
  bool operator==(const Savings&) const = default;
};

}  // namespace weir
