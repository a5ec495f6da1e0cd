#pragma once
#include <chrono>
#include <optional>
#include <span>

#include <weir/base/clock.hpp>
#include <weir/exchange/exchange.hpp>

namespace weir::pipeline {

/// How long the client's SDK waits for the answer, from its own header (x-stainless-read-timeout of Python,
/// x-stainless-timeout of Node; seconds). Nothing that is not a positive number up to a day counts.
std::optional<std::chrono::milliseconds> client_timeout(std::span<const HeaderField> headers);

/// The deadline that all attempts of one call share, and the client's own patience. Lifetime: one call.
class CallDeadline {
 public:
  CallDeadline(const Exchange& exchange, TimePoint now);
  TimePoint at() const { return at_; }
  /// Shortens an attempt's limits to what is left.
  void apply(TimeLimits& limits, TimePoint now) const;

 private:
  TimePoint at_;
  std::optional<std::chrono::milliseconds> first_byte_;  ///< of a stream
};

}  // namespace weir::pipeline
