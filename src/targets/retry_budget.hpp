#pragma once
#include <algorithm>
#include <cstdint>

#include "targets/window.hpp"

namespace weir::targets {

/// How many retries and fallbacks one provider may receive (RULINGS 9): a share of its calls over ten seconds plus a
/// floor of 100, so that a failing fleet cannot multiply its own load. Charged to the provider that receives the retry.
///
/// Thread: any; a call that goes well costs one atomic addition. Sans-io.
class RetryBudget {
 public:
  static constexpr std::int64_t kFloor = 100;

  void note_call(std::int64_t second) { window_.add_first(second); }

  /// Takes one retry; false = spent. Counted first and given back after, so that threads together never take too many.
  bool try_spend(std::int64_t second, unsigned share_basis_points) {
    window_.add_second(second);
    if (left(second, share_basis_points) >= 0) return true;
    window_.take_back_second(second);
    return false;
  }
  void give_back(std::int64_t second) { window_.take_back_second(second); }
  std::int64_t remaining(std::int64_t second, unsigned share_basis_points) const {
    return std::max<std::int64_t>(0, left(second, share_basis_points));
  }

 private:
  std::int64_t left(std::int64_t second, unsigned share_basis_points) const {
    const Window::Counts seen = window_.sum(second);
    return kFloor + static_cast<std::int64_t>(seen.first) * share_basis_points / 10'000 -
           static_cast<std::int64_t>(seen.second);
  }

  Window window_;
};

}  // namespace weir::targets
