#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "accounting/drift.hpp"
#include "accounting/text_table.hpp"
#include "base/json_writer.hpp"

namespace weir::accounting {
namespace {

constexpr std::size_t kCauses = static_cast<std::size_t>(DriftCause::count_);

std::string_view name_in(const Drift& drift, std::size_t cause) {
  const bool all_users = !drift.users_compare() && cause == static_cast<std::size_t>(DriftCause::calls_per_user);
  return all_users ? "calls a day" : kDriftCauseNames[cause];
}

/// The causes, most dollars first.
std::array<std::size_t, kCauses> by_size(const Drift& drift) {
  std::array<std::size_t, kCauses> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) { return std::pair{-std::abs(drift.parts[i].change.value), i}; };
  std::ranges::sort(order, {}, key);
  return order;
}

std::string json_of(const Days& days, NanoDollars cost, std::int64_t calls) {
  return fmt::format(R"({{"since":"{}","until":"{}","days":{},"calls":{},"cost_usd_per_day":{}}})",
                     moment_text(days.since_unix_ms), moment_text(days.until_unix_ms), days.count(), calls,
                     dollars_text(cost));
}

}  // namespace

std::string drift_table(const Drift& drift) {
  std::string out = fmt::format("drift, {} against {}\n", days_text(drift.to_days), days_text(drift.from_days));
  for (const auto& [days, calls] :
       {std::pair{&drift.from_days, drift.from_calls}, std::pair{&drift.to_days, drift.to_calls}}) {
    if (calls == 0) out += fmt::format("there are no calls in {}\n", days_text(*days));
  }
  const double change = static_cast<double>(drift.change().value);
  out += fmt::format("spend per day {} -> {}: {}", money_text(drift.from_cost), money_text(drift.to_cost),
                     change_text(drift.change()));
  if (drift.from_cost.value > 0) {
    out += fmt::format(" (×{:.2f})",
                       static_cast<double>(drift.to_cost.value) / static_cast<double>(drift.from_cost.value));
  }
  out += "\n\n";
  TextTable table({"because of", "from", "to", "per day", "share"}, 3);
  for (const std::size_t i : by_size(drift)) {
    const DriftPart& part = drift.parts[i];
    table.add({std::string{name_in(drift, i)}, part.from, part.to, change_text(part.change),
               share_text(static_cast<double>(part.change.value), change)});
  }
  table.add({"all", "", "", change_text(drift.change()), share_text(change, change)});
  out += table.text();
  if (change != 0) {
    const auto largest = static_cast<std::size_t>(drift.largest());
    out += fmt::format("\nmost of it: {}\n", name_in(drift, largest));
  }
  if (drift.price_unknown_attempts > 0) {
    out += fmt::format("{} attempts have no known price and are in no sum of dollars\n",
                       count_text(drift.price_unknown_attempts));
  }
  if (!drift.users_compare()) {
    out += "the periods differ in length, so their users cannot be compared; calls a day hold that change\n";
  }
  return out;
}

std::string drift_json(const Drift& drift) {
  std::string parts;
  for (const std::size_t i : by_size(drift)) {
    const DriftPart& part = drift.parts[i];
    parts += fmt::format(R"({}{{"cause":"{}","change_usd_per_day":{},"from":{},"to":{}}})", parts.empty() ? "" : ",",
                         kDriftCauseKeys[i], dollars_text(part.change), json_string(part.from), json_string(part.to));
  }
  return fmt::format(R"({{"from":{},"to":{},"change_usd_per_day":{},"largest":"{}","parts":[{}],)"
                     R"("price_unknown_attempts":{}}})",
                     json_of(drift.from_days, drift.from_cost, drift.from_calls),
                     json_of(drift.to_days, drift.to_cost, drift.to_calls), dollars_text(drift.change()),
                     kDriftCauseKeys[static_cast<std::size_t>(drift.largest())], parts, drift.price_unknown_attempts);
}

}  // namespace weir::accounting
