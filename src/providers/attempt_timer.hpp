#pragma once
#include <algorithm>
#include <chrono>

#include <weir/base/clock.hpp>
#include <weir/exchange/ending.hpp>
#include <weir/exchange/interrupt.hpp>
#include "net/deadline_wheel.hpp"

namespace weir::providers {

/// The time limits of one attempt: the phase's own, never past the attempt's `total` or the call's deadline. When one
/// passes, the call is broken off with its reason.
class AttemptTimer final : public net::Deadline {
 public:
  AttemptTimer(net::DeadlineWheel& wheel, Interrupt& interrupt, TimePoint total_at)
      : Deadline(wheel), interrupt_(interrupt), total_at_(total_at) {}

  void limit(TimePoint at, InterruptReason reason) {
    reason_ = at < total_at_ ? reason : InterruptReason::timeout_total;
    arm(std::min(at, total_at_));
  }
  void only_total() { limit(total_at_, InterruptReason::timeout_total); }
  TimePoint total_at() const { return total_at_; }

 private:
  void expired() override { interrupt_.fire(reason_); }

  Interrupt& interrupt_;
  TimePoint total_at_;
  InterruptReason reason_ = InterruptReason::timeout_total;
};

/// Why a call was broken off, as a failure.
inline Failure failure_of(InterruptReason reason) {
  switch (reason) {
    case InterruptReason::client_left:
      return Failure::client_left;
    case InterruptReason::timeout_connect:
      return Failure::upstream_timeout_connect;
    case InterruptReason::timeout_first_byte:
      return Failure::upstream_timeout_first_byte;
    case InterruptReason::timeout_between_bytes:
      return Failure::upstream_timeout_between_bytes;
    case InterruptReason::timeout_total:
      return Failure::upstream_timeout_total;
    case InterruptReason::shutdown:
      return Failure::gateway_busy;
    case InterruptReason::outrun:
      return Failure::gateway_outrun;
    case InterruptReason::none:
      break;
  }
  return Failure::none;
}

}  // namespace weir::providers
