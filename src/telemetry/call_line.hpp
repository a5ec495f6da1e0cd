#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <weir/exchange/exchange.hpp>
#include "base/json_writer.hpp"

namespace weir::telemetry {

/// Moments as RFC 3339 in UTC with milliseconds. Breaks a time down once per second, not once per line.
class TimeText {
 public:
  /// Valid until the next call.
  std::string_view of(std::int64_t unix_ms);

 private:
  std::int64_t second_ = -1;
  std::array<char, 24> text_{};
};

/// No line is longer, whatever clients and providers send: each text in it is cut.
inline constexpr std::size_t call_line_bytes_max = 24U << 10;
inline constexpr std::size_t logged_text_bytes_max = 128;
inline constexpr std::size_t logged_attempts_max = 8;  ///< of one call; `attempts` says how many there were

/// One call as one line of JSON with its line feed, at its end. Never holds prompt text, a query string or a secret.
void write_call_line(JsonWriter& out, const Exchange& exchange, TimeText& time);

/// A call that was refused before it became one.
void write_refusal_line(JsonWriter& out, Failure failure, std::uint16_t status, std::int64_t unix_ms, TimeText& time);

// Pieces that the log and /api/calls share.
void write_tokens(JsonWriter& out, const Usage& usage);
void write_phases(JsonWriter& out, const std::array<Duration, static_cast<std::size_t>(Phase::count_)>& phases);

}  // namespace weir::telemetry
