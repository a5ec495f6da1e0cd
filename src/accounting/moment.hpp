#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::accounting {

inline constexpr std::int64_t day_ms = 86'400'000;

/// RFC 3339 in UTC: 2026-11-21T06:15:29Z, with milliseconds only where there are some.
std::string moment_text(std::int64_t unix_ms);
/// The same with its milliseconds always, as the call log has it.
std::string millisecond_text(std::int64_t unix_ms);
/// 2026-11-21
std::string date_text(std::int64_t unix_ms);
/// The Monday, 00:00 UTC, of the week that holds it.
std::int64_t week_start(std::int64_t unix_ms);

/// `7d` (that long before `now`; s m h d w), `2026-11-21` (its first moment, UTC) or RFC 3339 with any offset.
/// The error is the end of a sentence: "must be …".
Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_ms);

/// Whole days, UTC: [since, until).
struct Days {
  std::int64_t since_unix_ms = 0;
  std::int64_t until_unix_ms = 0;
  std::int64_t count() const { return (until_unix_ms - since_unix_ms) / day_ms; }
  bool operator==(const Days&) const = default;
};

/// `2026-11-21`, or `2026-11-01..2026-11-07` with both ends in it.
Result<Days> parse_days(std::string_view text);
/// As parse_days() takes it.
std::string days_text(const Days& days);

}  // namespace weir::accounting
