// Reports for programs: JSON and CSV.
#include <fmt/format.h>

#include "accounting/report.hpp"
#include "base/json_writer.hpp"

namespace weir::accounting {
namespace {

std::string members(const ReportRow& row, const ReportOptions& options) {
  const store::SumRow& sums = row.sums;
  std::string json = fmt::format(
      R"("calls":{},"attempts":{},"tokens":{{"uncached":{},"cache_read":{},"cache_write":{},"output":{},"reasoning":{}}},)"
      R"("cost_usd":{},"wasted_usd":{},"saved_usd":{},"price_unknown_calls":{})",
      sums.calls, sums.attempts, sums.uncached, sums.cache_read, sums.cache_write, sums.output, sums.reasoning,
      dollars_text(sums.cost), dollars_text(sums.wasted), dollars_text(sums.saved.total()), sums.price_unknown_calls);
  if (options.kind == ReportKind::retries) {
    json += fmt::format(R"(,"failed_calls":{},"failed_attempts":{},"client_retries":{})", sums.failed_calls,
                        sums.failed_attempts, sums.client_retries);
  }
  if (options.reprice) {
    json += fmt::format(R"(,"repriced_usd":{},"repriced_unknown_attempts":{})", dollars_text(row.repriced.cost),
                        row.repriced.unknown_attempts);
  }
  return json;
}

std::string csv_cell(std::string_view text) {
  std::string cell = valid_utf8(text);
  if (!cell.empty() && std::string_view{"=+-@\t\r"}.find(cell.front()) != std::string_view::npos) cell.insert(0, "'");
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace

std::string report_json(const Report& report) {
  const ReportOptions& options = report.options;
  std::string by;
  std::vector<std::string> names;
  for (const store::Dimension dimension : options.by) {
    names.push_back(json_string(name_of(dimension, options.tag)));
    by += (by.empty() ? "" : ",") + names.back();
  }
  std::string rows;
  for (const ReportRow& row : report.rows) {
    rows += rows.empty() ? "{" : ",{";
    for (std::size_t i = 0; i < names.size(); ++i) rows += names[i] + ":" + json_string(row.sums.by[i]) + ",";
    rows += members(row, options) + "}";
  }
  return fmt::format(R"({{"since":"{}","until":"{}","by":[{}],"rows":[{}],"total":{{{}}}}})",
                     moment_text(options.since_unix_ms), moment_text(options.until_unix_ms), by, rows,
                     members(report.total, options));
}

std::string report_csv(const Report& report) {
  const ReportOptions& options = report.options;
  std::string csv;
  for (const store::Dimension dimension : options.by) csv += csv_cell(name_of(dimension, options.tag)) + ",";
  csv +=
      "calls,failed_calls,client_retries,attempts,failed_attempts,uncached,cache_read,cache_write,output,reasoning,"
      "cost_usd,wasted_usd,saved_usd,price_unknown_calls";
  csv += options.reprice ? ",repriced_usd,repriced_unknown_attempts\r\n" : "\r\n";
  for (const ReportRow& row : report.rows) {
    const store::SumRow& sums = row.sums;
    for (const std::string& value : sums.by) csv += csv_cell(value) + ",";
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}", sums.calls, sums.failed_calls, sums.client_retries,
                       sums.attempts, sums.failed_attempts, sums.uncached, sums.cache_read, sums.cache_write,
                       sums.output, sums.reasoning, dollars_text(sums.cost), dollars_text(sums.wasted),
                       dollars_text(sums.saved.total()), sums.price_unknown_calls);
    if (options.reprice) csv += fmt::format(",{},{}", dollars_text(row.repriced.cost), row.repriced.unknown_attempts);
    csv += "\r\n";
  }
  return csv;
}

}  // namespace weir::accounting
