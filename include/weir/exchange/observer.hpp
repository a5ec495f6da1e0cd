#pragma once
#include <string_view>

#include <weir/exchange/exchange.hpp>

namespace weir {

/// Rooms announce, telemetry listens. Each worker has its own; observing is optional, the default observes nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void call_started() {}  ///< the in-flight gauge
  /// Whether and where the call is traced; asked once its head was read. `traceparent`: the client's, empty = none.
  virtual TraceContext trace_of(const CallId& /*id*/, std::string_view /*traceparent*/) { return {}; }
  /// Called once per call, after it was booked and before its last bytes are flushed.
  virtual void call_ended(const Exchange& /*exchange*/) {}
  /// Requests refused before they became a call (malformed head, limits of the listener).
  virtual void refused(Failure /*failure*/, std::uint16_t /*status*/) {}
};

}  // namespace weir
