#pragma once
#include <cstdint>
#include <string_view>

#include <weir/base/call_id.hpp>
#include <weir/exchange/trace_context.hpp>

namespace weir::telemetry {

/// Which calls are traced, and as what. A trace that begins here has the call's own id, so that one is found by the
/// other; whether it is told of is decided by that id alone.
/// Thread: any.
class TraceSampler {
 public:
  /// `share`: 0 to 1, of the traces that begin here.
  explicit TraceSampler(double share);

  /// A valid `traceparent` is continued, and its sampled flag obeyed; anything else is ignored. All zero where the call
  /// is not sampled.
  TraceContext begin(const CallId& id, std::string_view traceparent) const;

 private:
  std::uint64_t least_;  ///< of 56 random bits: an id at or above it is sampled
};

}  // namespace weir::telemetry
