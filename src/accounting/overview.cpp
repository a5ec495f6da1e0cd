#include "accounting/overview.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "accounting/report.hpp"
#include "accounting/text_table.hpp"

namespace weir::accounting {
namespace {

using store::Dimension;
using store::SumRow;

constexpr std::size_t kRowsShown = 3;  // of tasks, models and groups each: the screen has 24 lines
constexpr std::size_t kWeeks = 4;

double real(std::int64_t value) {
  return static_cast<double>(value);
}

std::string share_of_cost(NanoDollars part, const SumRow& total) {
  return share_text(real(part.value), real(total.cost.value));
}

std::string label_of(const SumRow& row) {
  return row.by.empty() || row.by.front().empty() ? "none" : printable(row.by.front(), 34);
}

/// "cost by task", then the dearest, then how much the others make together.
void say_cost_by(const char* what, const std::vector<SumRow>& rows, const SumRow& total, std::string& out) {
  SumRow others;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + 1 > kRowsShown || (i + 1 == kRowsShown && rows.size() > kRowsShown)) {
      add(others, rows[i]);
      continue;
    }
    out += fmt::format("{:<12}{:<36}{:>14}  {:>6}\n", i == 0 ? what : "", label_of(rows[i]), money_text(rows[i].cost),
                       share_of_cost(rows[i].cost, total));
  }
  if (rows.size() > kRowsShown) {
    out += fmt::format("{:<12}{:<36}{:>14}  {:>6}\n", "",
                       fmt::format("{} others", count_text(static_cast<std::int64_t>(rows.size() - kRowsShown + 1))),
                       money_text(others.cost), share_of_cost(others.cost, total));
  }
}

struct Waste {
  NanoDollars failed;   ///< of calls that did not end well
  NanoDollars retried;  ///< attempts before (or beside) the one that served
};

Waste waste_of(const Overview& overview) {
  Waste waste;
  for (const SumRow& row : overview.outcomes) {
    const bool ok = !row.by.empty() && row.by.front() == weir::name_of(Outcome::ok);
    NanoDollars& part = ok ? waste.retried : waste.failed;
    part = part + row.wasted;
  }
  return waste;
}

std::string change_of(NanoDollars before, NanoDollars now) {
  if (before.value == 0) return "";
  const double percent = 100 * (real(now.value) / real(before.value) - 1);
  return percent > 999 ? fmt::format(" (×{:.0f})", real(now.value) / real(before.value))
                       : fmt::format(" ({:+.0f} %)", percent);
}

void say_weeks(const Overview& overview, std::string& out) {
  std::string_view head = "weeks";
  for (std::size_t i = 0; i < overview.weeks.size(); ++i) {
    const SumRow& week = overview.weeks[i];
    const bool last = i + 1 == overview.weeks.size();
    // The running week is compared with nothing: it is not over.
    const std::string change = last ? " so far" : i == 0 ? "" : change_of(overview.weeks[i - 1].cost, week.cost);
    out += fmt::format("{:<12}{:<20}{:>14}{}\n", head, "from " + week.by.front(), money_text(week.cost), change);
    head = "";
  }
}

std::int64_t prompt_of(const SumRow& row) {
  return row.uncached + row.cache_read + row.cache_write;
}

/// The model whose tokens cost most on average; null where there is nothing to compare.
const SumRow* dearest_model(const Overview& overview) {
  const SumRow* dearest = nullptr;
  double most = 0;
  for (const SumRow& row : overview.models) {
    const std::int64_t tokens = prompt_of(row) + row.output + row.reasoning;
    if (tokens == 0 || real(row.cost.value) / real(tokens) <= most) continue;
    most = real(row.cost.value) / real(tokens);
    dearest = &row;
  }
  return overview.models.size() < 2 ? nullptr : dearest;
}

void say_dearest(const Overview& overview, std::string& out) {
  const SumRow* const row = dearest_model(overview);
  if (row == nullptr) return;
  const std::int64_t tokens = prompt_of(*row) + row->output + row->reasoning;
  out += fmt::format("{:<12}{} of it at {}: {} per M tokens, {} of the attempts\n", "dearest",
                     share_of_cost(row->cost, overview.total), printable(row->by.front(), 24),
                     money_text({static_cast<std::int64_t>(real(row->cost.value) * 1e6 / real(tokens))}),
                     share_text(real(row->attempts), real(overview.total.attempts)));
}

/// What is worth looking at next: the first that holds, what hides dollars before what costs them.
std::string next_step(const Overview& overview) {
  const SumRow& total = overview.total;
  const double cost = real(total.cost.value);
  if (total.price_unknown_calls > 0) {
    return "weir report models: give those without a price one (models: NAME: price:)";
  }
  if (cost > 0 && real(total.wasted.value) >= 0.1 * cost) return "weir report retries --by failure,model";
  if (overview.weeks.size() == kWeeks) {
    const SumRow& before = overview.weeks[kWeeks - 3];
    const SumRow& last = overview.weeks[kWeeks - 2];
    if (before.cost.value > 0 && real(last.cost.value) >= 1.5 * real(before.cost.value)) {
      const auto days = [](const SumRow& week) {
        const auto first = parse_days(week.by.front());
        return first ? days_text({first->since_unix_ms, first->since_unix_ms + 7 * day_ms}) : week.by.front();
      };
      return fmt::format("weir report drift --from {} --to {}", days(before), days(last));
    }
  }
  if (const SumRow* const dearest = dearest_model(overview);
      dearest != nullptr && real(dearest->cost.value) >= 0.5 * cost) {
    return "weir report costs --by task,model: what needs the dearest model?";
  }
  return "weir report costs --by task,model";
}

}  // namespace

Result<Overview> read_overview(store::LedgerReader& ledger, const ReportOptions& options) {
  Overview overview;
  overview.since_unix_ms = options.since_unix_ms;
  overview.until_unix_ms = options.until_unix_ms;
  const auto sums = [&](std::int64_t since, std::vector<Dimension> by) {
    store::SumQuery query;
    query.since_unix_ms = since;
    query.until_unix_ms = options.until_unix_ms;
    query.by = std::move(by);
    return ledger.sums(query);
  };
  for (const auto& [dimension, rows] :
       {std::pair{Dimension::task, &overview.tasks}, std::pair{Dimension::model, &overview.models},
        std::pair{Dimension::group, &overview.groups}, std::pair{Dimension::outcome, &overview.outcomes}}) {
    auto read = sums(options.since_unix_ms, {dimension});
    if (!read) return std::unexpected(read.error());
    *rows = std::move(*read);
  }
  for (const SumRow& row : overview.outcomes) add(overview.total, row);

  const std::int64_t this_week = week_start(options.until_unix_ms - 1);
  const std::int64_t first_week = this_week - static_cast<std::int64_t>(kWeeks - 1) * 7 * day_ms;
  const auto weeks = sums(first_week, {Dimension::week});
  if (!weeks) return std::unexpected(weeks.error());
  for (std::int64_t week = first_week; week <= this_week; week += 7 * day_ms) {
    SumRow row;
    row.by = {date_text(week)};
    for (const SumRow& read : *weeks) {
      if (read.by == row.by) add(row, read);
    }
    overview.weeks.push_back(std::move(row));
  }
  if (overview.total.calls == 0 && overview.total.attempts == 0) {
    const auto any = ledger.recent_calls(1);
    if (!any) return std::unexpected(any.error());
    overview.ledger_is_empty = any->calls.empty();
  }
  return overview;
}

std::string overview_text(const Overview& overview) {
  const SumRow& total = overview.total;
  std::string out = fmt::format("{} to {}\n", moment_text(overview.since_unix_ms), moment_text(overview.until_unix_ms));
  if (overview.ledger_is_empty) {
    return out +
           "The ledger holds no call yet. Point an SDK's base_url at weir (`weir serve` prints the\n"
           "address), make a call and ask again.\n";
  }
  if (total.calls == 0 && total.attempts == 0) {
    return out + "No calls in that time. Look further back: weir report --since 30d\n";
  }
  out += fmt::format("{}, {} failed, {}{}\n\n", counted(total.calls, "call"), count_text(total.failed_calls),
                     money_text(total.cost),
                     total.calls == 0 ? "" : fmt::format(", {} a call", money_text({total.cost.value / total.calls})));
  if (total.price_unknown_calls > 0) {
    out += fmt::format("{:<12}{} of {} ({}): their price is not known and adds $0.00\n", "no price",
                       count_text(total.price_unknown_calls), counted(total.calls, "call"),
                       share_text(real(total.price_unknown_calls), real(total.calls)));
  }
  say_cost_by("by task", overview.tasks, total, out);
  say_cost_by("by model", overview.models, total, out);
  say_dearest(overview, out);
  say_cost_by("by group", overview.groups, total, out);
  out += "\n";
  const Waste waste = waste_of(overview);
  out += fmt::format("{:<12}{} ({}): failed calls {}, retried or hedged {}\n", "wasted", money_text(total.wasted),
                     share_of_cost(total.wasted, total), money_text(waste.failed), money_text(waste.retried));
  out += fmt::format("{:<12}{:.2f} attempts a call, {}\n", "retries",
                     total.calls == 0 ? 0 : real(total.attempts) / real(total.calls),
                     counted(total.client_retries, "client retry"));
  out += fmt::format("{:<12}{} prompt tokens, {} read from the providers' caches\n", "tokens",
                     short_count_text(prompt_of(total)), share_text(real(total.cache_read), real(prompt_of(total))));
  say_weeks(overview, out);
  return out + "\nnext: " + next_step(overview) + "\n";
}

}  // namespace weir::accounting
