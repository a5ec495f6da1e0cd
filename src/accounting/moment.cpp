#include "accounting/moment.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include <fmt/format.h>

namespace weir::accounting {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kYearsMaxMs = 10 * 366 * day_ms;

std::int64_t floor_to(std::int64_t value, std::int64_t step) {
  const std::int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

/// Exactly `count` digits at the front of `text`, taken off it.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || *year < 1970) return std::nullopt;
  const year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                            std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return sys_days{date}.time_since_epoch().count() * day_ms;
}

/// What follows the date in RFC 3339 (section 5.6), in milliseconds: T06:15:29.781+01:00.
std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = (*hour * 60 + *minute) * 60'000;
  if (take(text, ':')) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    ms += *second * 1000;
    if (take(text, '.')) {
      int scale = 100;
      if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
      for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), scale /= 10) {
        ms += (text[0] - '0') * scale;
      }
    }
  }
  if (take(text, 'Z') || take(text, 'z')) return ms;
  const bool ahead = text.starts_with('+');
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const std::int64_t offset = (*hours * 60 + *minutes) * 60'000;
  return ahead ? ms - offset : ms + offset;
}

std::optional<std::int64_t> read_duration(std::string_view text) {
  struct Unit {
    char name;
    std::int64_t ms;
  };
  constexpr std::array<Unit, 5> units{{{'s', 1000}, {'m', 60'000}, {'h', 3'600'000}, {'d', day_ms}, {'w', 7 * day_ms}}};
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || count < 0 || end + 1 != text.data() + text.size()) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == *end && count <= kYearsMaxMs / unit.ms) return count * unit.ms;
  }
  return std::nullopt;
}

}  // namespace

std::string date_text(std::int64_t unix_ms) {
  const year_month_day date{sys_days{days{floor_to(unix_ms, day_ms) / day_ms}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string millisecond_text(std::int64_t unix_ms) {
  const std::int64_t in_day = unix_ms - floor_to(unix_ms, day_ms);
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}Z", date_text(unix_ms), in_day / 3'600'000, in_day / 60'000 % 60,
                     in_day / 1000 % 60, in_day % 1000);
}

std::string moment_text(std::int64_t unix_ms) {
  std::string text = millisecond_text(unix_ms);
  if (unix_ms % 1000 == 0) text.erase(text.size() - 5, 4);
  return text;
}

std::int64_t week_start(std::int64_t unix_ms) {
  constexpr std::int64_t first_monday = 4 * day_ms;  // 1970-01-05
  return floor_to(unix_ms - first_monday, 7 * day_ms) + first_monday;
}

Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_unix_ms) {
  if (const auto duration = read_duration(text)) return now_unix_ms - *duration;
  std::string_view rest = text;
  if (const auto date = take_date(rest)) {
    if (rest.empty()) return *date;
    if (const auto time = take_time_of_day(rest); time && rest.empty()) return *date + *time;
  }
  return failure(
      "must be a time back from now (90s, 30m, 12h, 7d, 4w), a date (2026-11-21) or RFC 3339 "
      "(2026-11-21T06:00:00Z)");
}

Result<Days> parse_days(std::string_view text) {
  const auto wrong = [] {
    return failure("must be a day (2026-11-21) or days from the first to the last (2026-11-01..2026-11-07)");
  };
  std::string_view rest = text;
  const auto first = take_date(rest);
  if (!first) return wrong();
  if (rest.empty()) return Days{*first, *first + day_ms};
  if (!rest.starts_with("..")) return wrong();
  rest.remove_prefix(2);
  const auto last = take_date(rest);
  if (!last || !rest.empty() || *last < *first) return wrong();
  return Days{*first, *last + day_ms};
}

std::string days_text(const Days& days) {
  const std::string first = date_text(days.since_unix_ms);
  return days.count() <= 1 ? first : first + ".." + date_text(days.until_unix_ms - day_ms);
}

}  // namespace weir::accounting
