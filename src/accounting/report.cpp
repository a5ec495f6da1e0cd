#include "accounting/report.hpp"

#include <algorithm>
#include <unordered_map>

namespace weir::accounting {
namespace {

using store::Dimension;

bool is_time(Dimension dimension) {
  return dimension == Dimension::hour || dimension == Dimension::day || dimension == Dimension::week;
}

Usage usage_of(const store::ModelUse& use) {
  Usage usage;
  usage.uncached = use.uncached;
  usage.cache_read = use.cache_read;
  usage.cache_write = use.cache_write;
  usage.output = use.output + use.reasoning;  // billed alike; the books keep them apart
  usage.reasoning = use.reasoning;
  return usage;
}

void add(Repriced& sum, const Repriced& part) {
  sum.cost = sum.cost + part.cost;
  sum.unknown_attempts += part.unknown_attempts;
}

Result<void> reprice(store::LedgerReader& ledger, const PriceOf& price_of, Report& report) {
  const auto uses = ledger.model_uses(report.options.since_unix_ms, report.options.until_unix_ms);
  if (!uses) return std::unexpected(uses.error());
  std::unordered_map<std::string_view, Repriced> by_model;
  for (const store::ModelUse& use : *uses) {
    Repriced part;
    if (const Price* price = price_of(use.model, use.provider, use.reply_model); price != nullptr) {
      part.cost = cost_of(*price, usage_of(use));
    } else {
      part.unknown_attempts = use.attempts;
    }
    add(by_model[use.model], part);
    add(report.total.repriced, part);
  }
  for (ReportRow& row : report.rows) {
    if (row.sums.by.empty()) {
      row.repriced = report.total.repriced;
    } else if (const auto found = by_model.find(row.sums.by.front()); found != by_model.end()) {
      row.repriced = found->second;
    }
  }
  return {};
}

}  // namespace

void add(store::SumRow& sum, const store::SumRow& row) {
  sum.calls += row.calls;
  sum.failed_calls += row.failed_calls;
  sum.client_retries += row.client_retries;
  sum.attempts += row.attempts;
  sum.failed_attempts += row.failed_attempts;
  sum.uncached += row.uncached;
  sum.cache_read += row.cache_read;
  sum.cache_write += row.cache_write;
  sum.output += row.output;
  sum.reasoning += row.reasoning;
  sum.messages += row.messages;
  sum.took_us += row.took_us;
  sum.cost = sum.cost + row.cost;
  sum.wasted = sum.wasted + row.wasted;
  for (std::size_t i = 0; i < sum.saved.by.size(); ++i) sum.saved.by[i] = sum.saved.by[i] + row.saved.by[i];
  sum.price_unknown_calls += row.price_unknown_calls;
}

Result<Report> read_report(store::LedgerReader& ledger, const ReportOptions& options, const PriceOf& price_of) {
  if (options.reprice && !price_of) return failure("reprice is not supported here: today's prices are not at hand");
  store::SumQuery query;
  query.since_unix_ms = options.since_unix_ms;
  query.until_unix_ms = options.until_unix_ms;
  query.by = options.by;
  query.tag = options.tag;
  auto sums = ledger.sums(query);
  if (!sums) return std::unexpected(sums.error());
  Report report{options, {}, {}};
  for (store::SumRow& row : *sums) {
    add(report.total.sums, row);
    report.rows.push_back({std::move(row), {}});
  }
  if (!options.by.empty() && is_time(options.by.front())) {
    std::ranges::sort(report.rows, [](const ReportRow& a, const ReportRow& b) {
      if (a.sums.by[0] != b.sums.by[0]) return a.sums.by[0] < b.sums.by[0];
      return a.sums.cost.value != b.sums.cost.value ? a.sums.cost > b.sums.cost : a.sums.by < b.sums.by;
    });
  }
  if (options.reprice) {
    if (const auto done = reprice(ledger, price_of, report); !done) return std::unexpected(done.error());
  }
  return report;
}

std::string report_text(const Report& report) {
  switch (report.options.format) {
    case ReportFormat::json:
      return report_json(report) + "\n";
    case ReportFormat::csv:
      return report_csv(report);
    case ReportFormat::table:
      break;
  }
  return report_table(report);
}

}  // namespace weir::accounting
