#include "accounting/report_body.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "accounting/drift.hpp"
#include "accounting/overview.hpp"
#include "base/json_writer.hpp"
#include "catalogue/nearest.hpp"

namespace weir::accounting {
namespace {

constexpr std::size_t kQueryBytesMax = 2048;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// application/x-www-form-urlencoded, as browsers and curl write queries; what is no escape stays as it is.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

Result<ReportArguments> read_query(std::string_view query) {
  constexpr std::array<std::string_view, 8> names{"kind", "since", "until", "by", "format", "from", "to", "reprice"};
  if (query.size() > kQueryBytesMax) return failure("the query is longer than 2048 bytes");
  ReportArguments arguments;
  arguments.format = "json";
  const std::array<std::string*, 7> texts{&arguments.kind,   &arguments.since, &arguments.until, &arguments.by,
                                          &arguments.format, &arguments.from,  &arguments.to};
  while (!query.empty()) {
    const std::size_t ampersand = query.find('&');
    const std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(ampersand == std::string_view::npos ? query.size() : ampersand + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string name = decoded(pair.substr(0, equals));
    std::string value = equals == std::string_view::npos ? "" : decoded(pair.substr(equals + 1));
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) {
      const auto near = catalogue::nearest(name, names);
      return failure(fmt::format("there is no parameter \"{}\"; there are {}.{}", name, fmt::join(names, " "),
                                 near ? fmt::format(" Did you mean \"{}\"?", *near) : ""));
    }
    const auto index = static_cast<std::size_t>(at - names.begin());
    if (index < texts.size()) {
      *texts[index] = std::move(value);
    } else if (value != "true" && value != "false" && !value.empty()) {
      return failure("reprice must be true or false");
    } else {
      arguments.reprice = value != "false";
    }
  }
  return arguments;
}

ReportBody refused(unsigned status, std::string_view message) {
  return {status, R"({"error":{"message":)" + json_string(message) + "}}"};
}

}  // namespace

ReportBody report_body(std::string_view query, store::LedgerReader& ledger, std::int64_t now_unix_ms,
                       const PriceOf& price_of) {
  const auto arguments = read_query(query);
  if (!arguments) return refused(400, arguments.error().message);
  const auto options = parse_report(*arguments, now_unix_ms);
  if (!options) return refused(400, options.error().message);
  if (options->reprice && !price_of) return refused(400, "reprice is not supported here: use `weir report --reprice`");
  constexpr std::string_view plain = "text/plain; charset=utf-8";
  const auto text = run_report(*options, ledger, price_of);
  if (!text) return refused(500, text.error().message);
  switch (options->format) {
    case ReportFormat::csv:
      return {200, *text, "text/csv; charset=utf-8"};
    case ReportFormat::table:
      return {200, *text, plain};
    case ReportFormat::json:
      break;
  }
  return {200, *text};
}

Result<std::string> run_report(const ReportOptions& options, store::LedgerReader& ledger, const PriceOf& price_of) {
  if (options.kind == ReportKind::overview) {
    const auto overview = read_overview(ledger, options);
    if (!overview) return std::unexpected(overview.error());
    return overview_text(*overview);
  }
  if (options.kind == ReportKind::drift) {
    const auto from = ledger.period(options.from.since_unix_ms, options.from.until_unix_ms);
    if (!from) return std::unexpected(from.error());
    const auto to = ledger.period(options.to.since_unix_ms, options.to.until_unix_ms);
    if (!to) return std::unexpected(to.error());
    const Drift drift = explain_drift(options.from, *from, options.to, *to);
    return options.format == ReportFormat::json ? drift_json(drift) + "\n" : drift_table(drift);
  }
  const auto report = read_report(ledger, options, price_of);
  if (!report) return std::unexpected(report.error());
  return report_text(*report);
}

}  // namespace weir::accounting
