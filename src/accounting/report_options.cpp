#include "accounting/report_options.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "catalogue/nearest.hpp"

namespace weir::accounting {
namespace {

using store::Dimension;

constexpr std::array<std::string_view, 7> kKinds{"overview", "costs", "tasks", "models", "keys", "retries", "drift"};
constexpr std::array<std::string_view, 3> kFormats{"table", "json", "csv"};
constexpr std::array<std::string_view, 13> kDimensions{
    "task", "route", "model", "provider", "key", "group", "outcome", "failure", "hour", "day", "week", "user", "tag"};
static_assert(kDimensions.size() == static_cast<std::size_t>(Dimension::tag) + 1, "one name per Dimension, in order");

constexpr std::size_t kDimensionsMax = 4;

/// "--by: there is no modle; there are … Did you mean model?"
std::unexpected<Error> unknown(std::string_view what, std::string_view given, std::span<const std::string_view> names) {
  std::string text = fmt::format("{}: there is no \"{}\"; there are {}.", what, given, fmt::join(names, " "));
  if (const auto near = catalogue::nearest(given, names)) text += fmt::format(" Did you mean \"{}\"?", *near);
  return failure(std::move(text));
}

Result<void> parse_by(std::string_view text, ReportOptions& options) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    Dimension dimension = Dimension::tag;
    if (name.starts_with("tag:") && name.size() > 4) {
      options.tag = name.substr(4);
    } else {
      const auto at = std::ranges::find(kDimensions, name);
      if (at == kDimensions.end() || name == "tag") {
        auto names = kDimensions;
        names.back() = "tag:NAME";
        return unknown("--by", name, names);
      }
      dimension = static_cast<Dimension>(at - kDimensions.begin());
    }
    if (std::ranges::find(options.by, dimension) != options.by.end()) {
      return failure(fmt::format("--by: \"{}\" stands there twice{}", name_of(dimension, "NAME"),
                                 dimension == Dimension::tag ? "; one tag: at a time" : ""));
    }
    options.by.push_back(dimension);
  }
  if (options.by.size() > kDimensionsMax) return failure("--by: at most 4 at a time");
  return {};
}

std::vector<Dimension> usual_by(ReportKind kind) {
  switch (kind) {
    case ReportKind::costs:
      return {Dimension::day};
    case ReportKind::tasks:
      return {Dimension::task};
    case ReportKind::models:
    case ReportKind::retries:
      return {Dimension::model};
    case ReportKind::keys:
      return {Dimension::key, Dimension::group};
    case ReportKind::overview:
    case ReportKind::drift:
      return {};
  }
  return {};
}

Result<void> parse_drift(const ReportArguments& arguments, ReportOptions& options) {
  if (arguments.from.empty() || arguments.to.empty()) {
    return failure(
        "drift compares two days, or two stretches of days: give --from and --to, like --from "
        "2026-11-01..2026-11-07 --to 2026-11-08..2026-11-14");
  }
  if (!arguments.since.empty() || !arguments.until.empty() || !arguments.by.empty()) {
    return failure("drift takes --from and --to, not --since, --until or --by");
  }
  if (options.reprice) return failure("drift is not supported with --reprice: it explains what was booked");
  if (options.format == ReportFormat::csv) return failure("--format: drift comes as table or json");
  const auto from = parse_days(arguments.from);
  if (!from) return failure(fmt::format("--from {}: {}", arguments.from, from.error().message));
  const auto to = parse_days(arguments.to);
  if (!to) return failure(fmt::format("--to {}: {}", arguments.to, to.error().message));
  options.from = *from;
  options.to = *to;
  return {};
}

Result<void> parse_times(const ReportArguments& arguments, std::int64_t now_unix_ms, ReportOptions& options) {
  // Whole seconds read better, and the end of this one lets in what has just been booked.
  const std::int64_t second = now_unix_ms / 1000 * 1000;
  options.until_unix_ms = second + 1000;
  if (!arguments.until.empty()) {
    const auto until = parse_moment(arguments.until, second);
    if (!until) return failure(fmt::format("--until {}: {}", arguments.until, until.error().message));
    options.until_unix_ms = *until;
  }
  options.since_unix_ms = std::min(second, options.until_unix_ms) - 7 * day_ms;
  if (!arguments.since.empty()) {
    const auto since = parse_moment(arguments.since, second);
    if (!since) return failure(fmt::format("--since {}: {}", arguments.since, since.error().message));
    options.since_unix_ms = *since;
  }
  if (options.since_unix_ms >= options.until_unix_ms) {
    return failure(fmt::format("--since ({}) must be before --until ({})", moment_text(options.since_unix_ms),
                               moment_text(options.until_unix_ms)));
  }
  return {};
}

/// The ledger keeps prices and tokens by model; of a task or a day it has only the dollars booked.
Result<void> check_reprice(const ReportOptions& options) {
  const bool by_model = options.by.size() == 1 && options.by.front() == Dimension::model;
  if (options.kind == ReportKind::costs || options.kind == ReportKind::models) {
    if (options.by.empty() || by_model) return {};
    return failure(
        fmt::format("--by {} is not supported with --reprice: dollars can be derived again by model "
                    "or in total; leave --by out",
                    name_of(options.by.front(), options.tag)));
  }
  return failure(
      fmt::format("{} is not supported with --reprice: dollars can be derived again by model (weir report "
                  "models --reprice) or in total (weir report costs --reprice)",
                  name_of(options.kind)));
}

}  // namespace

std::string_view name_of(ReportKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::string name_of(Dimension dimension, std::string_view tag) {
  if (dimension == Dimension::tag) return fmt::format("tag:{}", tag);
  return std::string{kDimensions[static_cast<std::size_t>(dimension)]};
}

Result<ReportOptions> parse_report(const ReportArguments& arguments, std::int64_t now_unix_ms) {
  ReportOptions options;
  options.reprice = arguments.reprice;
  if (!arguments.kind.empty()) {
    const auto at = std::ranges::find(kKinds, arguments.kind);
    if (at == kKinds.end()) return unknown("report", arguments.kind, kKinds);
    options.kind = static_cast<ReportKind>(at - kKinds.begin());
  }
  if (!arguments.format.empty()) {
    const auto at = std::ranges::find(kFormats, arguments.format);
    if (at == kFormats.end()) return unknown("--format", arguments.format, kFormats);
    options.format = static_cast<ReportFormat>(at - kFormats.begin());
  }
  if (options.kind == ReportKind::drift) {
    if (const auto parsed = parse_drift(arguments, options); !parsed) return std::unexpected(parsed.error());
    return options;
  }
  if (!arguments.from.empty() || !arguments.to.empty()) {
    return failure("--from and --to belong to `weir report drift`; other reports take --since and --until");
  }
  if (const auto parsed = parse_times(arguments, now_unix_ms, options); !parsed) return std::unexpected(parsed.error());
  if (const auto parsed = parse_by(arguments.by, options); !parsed) return std::unexpected(parsed.error());
  if (options.kind == ReportKind::overview) {
    const bool rows = !options.by.empty() || options.format != ReportFormat::table;
    if (options.reprice) {
      options.kind = ReportKind::models;
    } else if (rows) {
      options.kind = ReportKind::tasks;
    }
  }
  if (options.reprice) {
    if (const auto checked = check_reprice(options); !checked) return std::unexpected(checked.error());
    if (options.kind == ReportKind::models) options.by = {Dimension::model};
    return options;
  }
  if (options.by.empty()) options.by = usual_by(options.kind);
  return options;
}

}  // namespace weir::accounting
