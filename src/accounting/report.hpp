#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include <weir/exchange/price.hpp>
#include "accounting/report_options.hpp"
#include "store/ledger.hpp"

namespace weir::accounting {

/// What a model costs today (RULINGS 22): by weir's name for it and by the name that its replies give; null = unknown.
using PriceOf =
    std::function<const Price*(std::string_view model, std::string_view provider, std::string_view reply_model)>;

struct Repriced {
  NanoDollars cost;
  std::int64_t unknown_attempts = 0;  ///< no price is known today, so they add 0
};

struct ReportRow {
  store::SumRow sums;
  Repriced repriced;  ///< only where the report says reprice
};

/// Sums of the ledger, ready to be printed in any format.
struct Report {
  ReportOptions options;
  std::vector<ReportRow> rows;
  ReportRow total;  ///< without values in `sums.by`
};

/// Reads the rows of every kind but overview and drift. `price_of` is asked only with reprice, which is refused without
/// it. Rows by hour, day or week stand in the order of time, others dearest first.
Result<Report> read_report(store::LedgerReader& ledger, const ReportOptions& options, const PriceOf& price_of);

/// Adds what can be added; `by` stays.
void add(store::SumRow& sum, const store::SumRow& row);

/// RULINGS 19, on one line without a line feed. Dollars are written from the integers: they add up to the last digit.
std::string report_json(const Report& report);
/// RFC 4180, with a head and without a total. A text that a spreadsheet would run (= + - @) begins with an apostrophe.
std::string report_csv(const Report& report);
std::string report_table(const Report& report);
std::string report_text(const Report& report);  ///< in its own format

}  // namespace weir::accounting
