#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "accounting/moment.hpp"
#include "store/ledger.hpp"

namespace weir::accounting {

enum class ReportKind : std::uint8_t { overview, costs, tasks, models, keys, retries, drift };
enum class ReportFormat : std::uint8_t { table, json, csv };

/// A report as it was asked for, by the command line or by /api/report; empty = not said.
struct ReportArguments {
  std::string kind;
  std::string since;
  std::string until;
  std::string by;
  std::string format;
  std::string from;  ///< drift
  std::string to;    ///< drift
  bool reprice = false;
};

/// The same, checked, with defaults filled in.
struct ReportOptions {
  ReportKind kind = ReportKind::overview;
  std::int64_t since_unix_ms = 0;
  std::int64_t until_unix_ms = 0;
  std::vector<store::Dimension> by;
  std::string tag;  ///< the name behind `tag:`
  ReportFormat format = ReportFormat::table;
  bool reprice = false;
  Days from, to;  ///< drift
};

/// Without a kind: the overview, or `tasks` where something is asked that an overview has not (a format, `by`,
/// reprice). `until` defaults to the end of the running second, `since` to 7 days before. Pure: the time is given.
/// The error is a sentence that names what is allowed.
Result<ReportOptions> parse_report(const ReportArguments& arguments, std::int64_t now_unix_ms);

std::string_view name_of(ReportKind kind);
/// `task`, `day`, `tag:team`: as in --by and as the member of a JSON row.
std::string name_of(store::Dimension dimension, std::string_view tag);

}  // namespace weir::accounting
