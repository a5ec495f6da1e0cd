// Reports for people: each kind has its own columns.
#include <functional>

#include <fmt/format.h>

#include "accounting/report.hpp"
#include "accounting/text_table.hpp"

namespace weir::accounting {
namespace {

struct Column {
  std::string_view head;
  std::function<std::string(const ReportRow& row, const store::SumRow& total)> cell;
};

double real(std::int64_t value) {
  return static_cast<double>(value);
}

std::int64_t prompt_of(const store::SumRow& row) {
  return row.uncached + row.cache_read + row.cache_write;
}

const Column kCalls{"calls", [](const ReportRow& row, const auto&) { return count_text(row.sums.calls); }};
const Column kFailed{"failed", [](const ReportRow& row, const auto&) { return count_text(row.sums.failed_calls); }};
const Column kAttempts{"attempts", [](const ReportRow& row, const auto&) { return count_text(row.sums.attempts); }};
const Column kPrompt{"prompt tokens",
                     [](const ReportRow& row, const auto&) { return short_count_text(prompt_of(row.sums)); }};
const Column kCached{"cached", [](const ReportRow& row, const auto&) {
                       return share_text(real(row.sums.cache_read), real(prompt_of(row.sums)));
                     }};
const Column kOutput{"output tokens", [](const ReportRow& row, const auto&) {
                       return short_count_text(row.sums.output + row.sums.reasoning);
                     }};
const Column kCost{"cost", [](const ReportRow& row, const auto&) { return money_text(row.sums.cost); }};
const Column kShare{"share", [](const ReportRow& row, const store::SumRow& total) {
                      return share_text(real(row.sums.cost.value), real(total.cost.value));
                    }};
const Column kPerCall{"per call", [](const ReportRow& row, const auto&) {
                        return row.sums.calls == 0 ? "-" : money_text({row.sums.cost.value / row.sums.calls});
                      }};
const Column kWasted{"wasted", [](const ReportRow& row, const auto&) { return money_text(row.sums.wasted); }};
const Column kWastedShare{"of cost", [](const ReportRow& row, const auto&) {
                            return share_text(real(row.sums.wasted.value), real(row.sums.cost.value));
                          }};
const Column kSaved{"saved", [](const ReportRow& row, const auto&) { return money_text(row.sums.saved.total()); }};
const Column kFailedAttempts{"failed attempts",
                             [](const ReportRow& row, const auto&) { return count_text(row.sums.failed_attempts); }};
const Column kAmplification{
    "per call", [](const ReportRow& row, const auto&) {
      return row.sums.calls == 0 ? "-" : fmt::format("{:.2f}", real(row.sums.attempts) / real(row.sums.calls));
    }};
const Column kClientRetries{"client retries",
                            [](const ReportRow& row, const auto&) { return count_text(row.sums.client_retries); }};
const Column kUnpriced{"price unknown",
                       [](const ReportRow& row, const auto&) { return count_text(row.sums.price_unknown_calls); }};
const Column kRepriced{"at today's prices",
                       [](const ReportRow& row, const auto&) { return money_text(row.repriced.cost); }};
const Column kRepricedChange{"change", [](const ReportRow& row, const auto&) {
                               return change_text({row.repriced.cost.value - row.sums.cost.value});
                             }};
const Column kRepricedUnknown{
    "no price today", [](const ReportRow& row, const auto&) { return count_text(row.repriced.unknown_attempts); }};

std::vector<Column> columns_of(const Report& report) {
  std::vector<Column> columns;
  if (report.options.reprice) {
    columns = {kCalls, kAttempts, kPrompt, kOutput, kCost, kRepriced, kRepricedChange};
    if (report.total.repriced.unknown_attempts > 0) columns.push_back(kRepricedUnknown);
  } else {
    switch (report.options.kind) {
      case ReportKind::tasks:
        columns = {kCalls, kFailed, kPrompt, kOutput, kCost, kShare, kPerCall, kWasted};
        break;
      case ReportKind::models:
        columns = {kCalls, kAttempts, kPrompt, kCached, kOutput, kCost, kShare, kWasted};
        break;
      case ReportKind::keys:
        columns = {kCalls, kFailed, kPrompt, kOutput, kCost, kShare};
        break;
      case ReportKind::retries:
        columns = {kCalls, kAttempts, kAmplification, kFailedAttempts, kClientRetries, kWasted, kWastedShare};
        break;
      case ReportKind::costs:
      case ReportKind::overview:
      case ReportKind::drift:
        columns = {kCalls, kPrompt, kOutput, kCost, kShare, kWasted, kSaved};
        break;
    }
  }
  // Only where it matters, but then it cannot be overlooked: such calls add 0 to every sum of dollars.
  if (report.total.sums.price_unknown_calls > 0) columns.push_back(kUnpriced);
  return columns;
}

}  // namespace

std::string report_table(const Report& report) {
  const ReportOptions& options = report.options;
  std::string out = fmt::format("{}, {} to {}\n", name_of(options.kind), moment_text(options.since_unix_ms),
                                moment_text(options.until_unix_ms));
  if (report.total.sums.calls == 0 && report.total.sums.attempts == 0) {
    return out + "no calls in that time; look further back with --since, like --since 30d\n";
  }
  const std::vector<Column> columns = columns_of(report);
  std::vector<std::string> heads;
  for (const store::Dimension dimension : options.by) heads.push_back(printable(name_of(dimension, options.tag)));
  if (heads.empty()) heads.emplace_back();
  const std::size_t left = heads.size();
  for (const Column& column : columns) heads.emplace_back(column.head);
  TextTable table(std::move(heads), left);

  const auto add_line = [&](std::vector<std::string> cells, const ReportRow& row) {
    for (const Column& column : columns) cells.push_back(column.cell(row, report.total.sums));
    table.add(std::move(cells));
  };
  for (const ReportRow& row : report.rows) {
    if (options.by.empty()) break;  // one row, and it is the total
    std::vector<std::string> cells;
    for (const std::string& value : row.sums.by) cells.push_back(value.empty() ? "none" : printable(value));
    add_line(std::move(cells), row);
  }
  std::vector<std::string> cells(left);
  cells.front() = "total";
  add_line(std::move(cells), report.total);
  out += table.text();
  if (options.reprice) out += "booked cost is what each call was booked at; tokens are the ledger's\n";
  return out;
}

}  // namespace weir::accounting
