#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>

#include <weir/base/clock.hpp>
#include "targets/window.hpp"

namespace weir::targets {

/// Whether a place is worth a call: open after half of at least twenty calls in ten seconds failed by the provider's
/// fault, or twenty in a row, which a busy place that dies reaches long before the half. Then one call at a time may
/// try (half-open), and its success closes it. Each failed trial doubles the pause.
///
/// Thread: any; while closed, a look is one atomic load and a good answer one atomic addition. Sans-io: time is given.
class CircuitBreaker {
 public:
  static constexpr std::uint32_t kCallsNeeded = 20;
  static constexpr Duration kPause = std::chrono::seconds(1);
  static constexpr Duration kPauseMax = std::chrono::seconds(30);
  static constexpr Duration kTrialMax = std::chrono::seconds(120);  ///< a trial that never reports: the next may go

  enum class State : std::uint8_t { closed, half_open, open };
  enum class Verdict : std::uint8_t { good, bad, neutral };  ///< neutral: it says nothing of the place

  State state(TimePoint now) const {
    const std::int64_t until = until_.load(std::memory_order_relaxed);
    if (until == 0) [[likely]]
      return State::closed;
    if (trial_.load(std::memory_order_relaxed) > now.time_since_epoch().count()) return State::half_open;
    return now.time_since_epoch().count() < until ? State::open : State::half_open;
  }

  /// May this call go, as a trial where it is not closed? At most one trial at a time gets a yes.
  bool admit(TimePoint now, bool& trial) {
    trial = false;
    const std::int64_t until = until_.load(std::memory_order_relaxed);
    if (until == 0) [[likely]]
      return true;
    const std::int64_t at = now.time_since_epoch().count();
    if (at < until) return false;
    std::int64_t other = trial_.load(std::memory_order_relaxed);
    if (other > at) return false;
    trial = trial_.compare_exchange_strong(other, at + kTrialMax.count(), std::memory_order_relaxed);
    return trial;
  }
  /// Whether admit() would say yes; takes nothing.
  bool would_admit(TimePoint now) const {
    const std::int64_t until = until_.load(std::memory_order_relaxed);
    const std::int64_t at = now.time_since_epoch().count();
    return until == 0 || (at >= until && trial_.load(std::memory_order_relaxed) <= at);
  }

  void report(Verdict verdict, bool trial, TimePoint now) {
    if (trial) return end_trial(verdict, now);
    if (verdict == Verdict::neutral || until_.load(std::memory_order_relaxed) != 0) return;
    const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (verdict == Verdict::good) {
      if (in_a_row_.load(std::memory_order_relaxed) != 0) in_a_row_.store(0, std::memory_order_relaxed);
      return window_.add_first(second);
    }
    window_.add_second(second);
    const Window::Counts seen = window_.sum(second);
    const bool half = seen.first + seen.second >= kCallsNeeded && seen.second >= seen.first;
    if (in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1 < kCallsNeeded && !half) return;
    std::int64_t closed = 0;
    if (until_.compare_exchange_strong(closed, (now + kPause).time_since_epoch().count(), std::memory_order_relaxed)) {
      pause_.store(kPause.count(), std::memory_order_relaxed);
    }
  }

 private:
  void end_trial(Verdict verdict, TimePoint now) {
    const std::int64_t at = now.time_since_epoch().count();
    if (verdict == Verdict::good) {
      in_a_row_.store(0, std::memory_order_relaxed);
      window_.clear();  // what failed before the place was well again must not open it at once
      until_.store(0, std::memory_order_relaxed);
    } else if (verdict == Verdict::bad) {
      const std::int64_t pause = std::min(2 * pause_.load(std::memory_order_relaxed), kPauseMax.count());
      pause_.store(pause, std::memory_order_relaxed);
      until_.store(at + pause, std::memory_order_relaxed);
    }
    trial_.store(0, std::memory_order_relaxed);
  }

  std::atomic<std::int64_t> until_{0};  ///< open until then; 0 = closed
  std::atomic<std::int64_t> trial_{0};  ///< a trial is under way, at most until then
  std::atomic<std::int64_t> pause_{0};
  std::atomic<std::uint32_t> in_a_row_{0};  ///< failures without a success between
  Window window_;
};

}  // namespace weir::targets
