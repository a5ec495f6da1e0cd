#include "dialects/openai_chat/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <weir/base/ascii.hpp>

namespace weir::openai_chat {
namespace {

using std::chrono::milliseconds;

constexpr double kDay = 86'400'000;

/// A number at the start of `text`, which loses it; nullopt = there is none.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (parsed.ec != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return number;
}

milliseconds bounded(double ms) {
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(ms, kDay))));
}

std::optional<milliseconds> whole_number(std::string_view text, double unit_ms) {
  text = trim(text);
  const auto number = take_number(text);
  if (!number || !text.empty()) return std::nullopt;
  return bounded(*number * unit_ms);
}

/// "1h2m3.5s", "320ms", "20 seconds", "2 minutes": what follows "try again in".
std::optional<milliseconds> duration_at(std::string_view text) {
  double ms = 0;
  bool any = false;
  for (;;) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    if (!number) break;
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    double unit = 0;
    std::size_t letters = 0;
    while (letters < rest.size() && ((rest[letters] | 0x20) >= 'a') && ((rest[letters] | 0x20) <= 'z')) ++letters;
    const std::string_view word = rest.substr(0, letters);
    if (word == "ms" || word.starts_with("milli")) {
      unit = 1;
    } else if (word == "s" || word.starts_with("sec")) {
      unit = 1'000;
    } else if (word == "m" || word.starts_with("min")) {
      unit = 60'000;
    } else if (word == "h" || word.starts_with("hour")) {
      unit = 3'600'000;
    } else {
      break;
    }
    ms += *number * unit;
    any = true;
    text = rest.substr(letters);
  }
  return any ? std::optional{bounded(ms)} : std::nullopt;
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_of(int year, int month, int day) {
  return std::chrono::sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
}

/// RFC 9110, section 5.6.7, the form that is to be sent: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::int64_t> unix_ms_of(std::string_view date) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  date = trim(date);
  if (date.size() != 29 || date.substr(3, 2) != ", " || date.substr(25) != " GMT") return std::nullopt;
  const auto digits = [&](std::size_t at, std::size_t count) {
    int value = -1;
    const char* end = date.data() + at + count;
    const auto parsed = std::from_chars(date.data() + at, end, value);
    return parsed.ptr == end ? value : -1;
  };
  const std::size_t month = kMonths.find(date.substr(8, 3));
  const int day = digits(5, 2), year = digits(12, 4);
  const int hour = digits(17, 2), minute = digits(20, 2), second = digits(23, 2);
  if (month == std::string_view::npos || month % 3 != 0 || day < 1 || day > 31 || year < 1970 || hour < 0 ||
      hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  return ((days_of(year, static_cast<int>(month / 3) + 1, day) * 24 + hour) * 60 + minute) * 60'000LL + second * 1000LL;
}

std::optional<milliseconds> from_body(std::string_view body) {
  body = body.substr(0, 16U << 10);
  if (const std::size_t at = body.find("\"retryDelay\""); at != std::string_view::npos) {
    std::string_view rest = body.substr(at + 12);
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':' || rest.front() == '"')) rest.remove_prefix(1);
    if (auto delay = duration_at(rest)) return delay;
  }
  for (const std::string_view words : {"try again in ", "retry in ", "retry after ", "try again after "}) {
    const auto at = std::search(body.begin(), body.end(), words.begin(), words.end(),
                                [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
    if (at == body.end()) continue;
    if (auto delay = duration_at({at + static_cast<std::ptrdiff_t>(words.size()), body.end()})) return delay;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> read_retry_after(const RetryHints& hints) {
  if (auto ms = whole_number(hints.retry_after_ms, 1)) return ms;
  if (auto seconds = whole_number(hints.retry_after, 1000)) return seconds;
  if (const auto date = unix_ms_of(hints.retry_after)) {
    return bounded(static_cast<double>(std::max<std::int64_t>(0, *date - hints.now_unix_ms)));
  }
  return from_body(hints.body);
}

}  // namespace weir::openai_chat
