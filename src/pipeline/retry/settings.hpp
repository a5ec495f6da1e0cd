#pragma once
#include <chrono>

namespace weir::pipeline {

/// `retry:` of the whole gateway; a route's own share is RetryLimits (include/weir/exchange/plan.hpp).
struct RetrySettings {
  unsigned budget_basis_points = 1000;           ///< of a provider's calls, over ten seconds: 10 %
  std::chrono::milliseconds backoff_base{100};   ///< the first wait is up to this long, each further one twice
  std::chrono::milliseconds backoff_cap{5'000};  ///< no longer, nor for a provider that asks for it
  bool operator==(const RetrySettings&) const = default;
};

}  // namespace weir::pipeline
