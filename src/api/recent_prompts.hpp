#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <tuple>

#include <weir/base/clock.hpp>
#include <weir/exchange/exchange.hpp>

namespace weir::api {

/// Which prompts were answered within the last minute, and to whom, to tell a call that asks again from the next turn
/// of a conversation (SEMANTICS 41). One for the process: who asks again may come over another connection.
///
/// Thread: any; one relaxed store for each answered call. No text is kept, only a part of a hash. A table of fixed
/// size: of two prompts at one place the later one stays, so that a busy process forgets some earlier (tens of
/// thousands of calls), and counts too few rather than too many.
class RecentPrompts {
 public:
  static constexpr Duration kFor = std::chrono::minutes(1);  ///< after the answer; an application asks again at once

  RecentPrompts() : places_(std::make_unique<Places>()) {}

  /// A call was answered well.
  void note(const Exchange& exchange, TimePoint now) {
    if (exchange.request.prompt_hash == 0) return;
    const std::uint64_t mixed = mix(exchange, exchange.request.prompt_hash);
    place(mixed).store((mixed & kMark) | seconds(now), std::memory_order_relaxed);
  }
  /// Whether what the call looks like asking again was answered to the same caller and user lately.
  bool asks_again(const Exchange& exchange, TimePoint now) const {
    if (exchange.request.reask_of == 0) return false;
    const std::uint64_t mixed = mix(exchange, exchange.request.reask_of);
    const std::uint64_t found = place(mixed).load(std::memory_order_relaxed);
    return ((found ^ mixed) & kMark) == 0 && ((seconds(now) - found) & kSeconds) <= kForSeconds;
  }

 private:
  static constexpr std::uint64_t kSeconds = (1U << 24) - 1;  // half a year
  static constexpr std::uint64_t kMark = ~kSeconds;
  static constexpr std::uint64_t kForSeconds = std::chrono::duration_cast<std::chrono::seconds>(kFor).count();
  using Places = std::array<std::atomic<std::uint64_t>, 1U << 16>;  // half a megabyte

  static std::uint64_t seconds(TimePoint at) {
    // Not from 0 on: an empty place is then long ago also right after the machine's start.
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
    return (static_cast<std::uint64_t>(since) + 2 * kForSeconds) & kSeconds;
  }
  static std::uint64_t mix(const Exchange& exchange, std::uint64_t prompt);
  std::atomic<std::uint64_t>& place(std::uint64_t mixed) const {
    return (*places_)[mixed & (std::tuple_size_v<Places> - 1)];
  }

  std::unique_ptr<Places> places_;
};

}  // namespace weir::api
