#include "accounting/text_table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json_writer.hpp"

namespace weir::accounting {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string printable(std::string_view text, std::size_t characters_max) {
  std::string out = valid_utf8(text);
  // C1 control characters (U+0080 to U+009F) steer terminals as much as the ones below a blank.
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if (byte < 0x20 || byte == 0x7F) out[i] = '?';
    if (byte == 0xC2 && static_cast<unsigned char>(out[i + 1]) < 0xA0) out.replace(i, 2, "?");
  }
  if (width_of(out) <= characters_max) return out;
  std::size_t at = 0;
  for (std::size_t kept = 0; at < out.size(); ++at) {
    if ((static_cast<unsigned char>(out[at]) & 0xC0) != 0x80 && ++kept == characters_max) break;
  }
  return out.substr(0, at) + "…";
}

std::string TextTable::text(std::string_view indent) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line{indent};
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += i < left_ ? row[i] + blanks : blanks + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string count_text(std::int64_t count) {
  std::string text = std::to_string(count);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) text.insert(at -= 3, ",");
  return text;
}

std::string counted(std::int64_t count, std::string_view what) {
  if (count == 1) return fmt::format("1 {}", what);
  const bool y = what.ends_with('y');
  return fmt::format("{} {}{}", count_text(count), y ? what.substr(0, what.size() - 1) : what, y ? "ies" : "s");
}

std::string short_count_text(std::int64_t count) {
  if (count < 1'000'000) return count_text(count);
  const double millions = static_cast<double>(count) / 1e6;
  return millions < 1000 ? fmt::format("{:.1f} M", millions) : fmt::format("{:.1f} G", millions / 1000);
}

std::string money_text(NanoDollars amount) {
  constexpr std::int64_t cent = nano_dollars_per_dollar / 100;
  const std::string sign = amount.value < 0 ? "-" : "";
  const std::int64_t value = std::abs(amount.value);
  if (value == 0 || value >= cent) {
    const std::int64_t cents = (value + cent / 2) / cent;
    return fmt::format("{}${}.{:02}", sign, count_text(cents / 100), cents % 100);
  }
  // 0.0000123 -> two digits that count: 10^(digits-1) <= value < 10^digits, in billionths.
  int digits = 0;
  for (std::int64_t rest = value; rest > 0; rest /= 10) ++digits;
  const int decimals = std::min(9, 11 - digits);
  return fmt::format("{}${:.{}f}", sign, static_cast<double>(value) / 1e9, decimals);
}

std::string change_text(NanoDollars amount) {
  return (amount.value > 0 ? "+" : "") + money_text(amount);
}

std::string share_text(double part, double whole) {
  if (whole == 0) return "-";
  const double percent = 100 * part / whole;
  if (percent != 0 && std::abs(percent) < 0.95) return fmt::format("{:.1f} %", percent);
  return fmt::format("{:.0f} %", percent);
}

}  // namespace weir::accounting
