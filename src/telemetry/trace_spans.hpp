#pragma once
#include <cstddef>

#include <weir/exchange/exchange.hpp>
#include "base/json_writer.hpp"

namespace weir::telemetry {

/// What one call's spans may take; a call that needs more (dozens of attempts) is dropped and counted.
inline constexpr std::size_t call_spans_bytes_max = 32U << 10;

/// One for the call and one for each attempt.
inline std::size_t spans_of(const Exchange& exchange) {
  return 1 + exchange.attempts.size();
}

/// A call's spans in OTLP's JSON mapping, each with a comma behind it. Never holds text of a prompt or an answer, a
/// path, a query string or a secret.
void write_spans(JsonWriter& out, const Exchange& exchange);

/// What stands around the spans of one export: `kSpansTail` takes the place of the last comma.
std::string spans_head();
inline constexpr const char* kSpansTail = "]}]}]}";

}  // namespace weir::telemetry
