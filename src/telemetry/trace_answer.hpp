#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::telemetry {

/// What a collector's answer means for the spans that were sent (OTLP specification, OTLP/HTTP Response).
struct TraceAnswer {
  bool delivered = false;
  bool again = false;                        ///< the same spans may be sent once more
  std::uint64_t rejected = 0;                ///< of delivered ones: partial success
  std::optional<std::chrono::seconds> wait;  ///< as Retry-After asked, at most `retry_after_max`
  std::string complaint;                     ///< for the log; empty = all is well
};

inline constexpr std::chrono::seconds retry_after_max{60};

TraceAnswer read_answer(unsigned status, std::string_view body, std::string_view retry_after, std::int64_t unix_ms);

/// How long to wait before the `tries`-th repetition, counted from 0, where nothing was asked for. Full jitter.
std::chrono::milliseconds backoff(unsigned tries, std::uint64_t dice);

}  // namespace weir::telemetry
