#include "app/report_command.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <weir/base/clock.hpp>
#include "accounting/explain.hpp"
#include "accounting/report_body.hpp"
#include "app/app.hpp"
#include "app/state_folder.hpp"
#include "app/todays_prices.hpp"
#include "store/ledger.hpp"

namespace weir::app {
namespace {

constexpr std::size_t kExplainedMax = 20;                  // calls of one request id: a client's retries
constexpr std::int64_t kRequestIdsMs = 30LL * 86'400'000;  // how far back a client's own ids are looked for

int fail(ExitCode code, std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  return static_cast<int>(code);
}

/// The settings as far as reports need them: without a file only the ledger's usual place, so nobody is asked.
Result<settings::Settings> settings_of(const Source& source, const catalogue::Catalogue& catalogue) {
  if (source.file.empty()) return settings::Settings{};
  return load_settings(source, catalogue, false);
}

/// Read beside who writes it. Not ledger_place(): a reader makes no folder.
Result<std::unique_ptr<store::LedgerReader>> open_ledger(const Source& source, const settings::Settings& settings) {
  const std::string& to = settings.ledger.to;
  if (to == "off") return failure("the ledger is off: stores.ledger says where calls are to be booked");
  if (to.starts_with("postgres://") || to.starts_with("postgresql://")) return store::open_postgres_reader(to);
  return store::open_sqlite_reader(to.empty() ? (state_folder(source) / "weir.db").string() : to);
}

}  // namespace

ReportCommand::ReportCommand(CLI::App& cli) {
  CLI::App* report = cli.add_subcommand("report", "what calls cost, from the ledger; also while weir serves");
  report->add_option("kind", arguments_.kind, "costs, tasks, models, keys, retries or drift; without one, an overview");
  report->add_option("--since", arguments_.since, "7d, 2026-11-21 or RFC 3339; usual: 7d");
  report->add_option("--until", arguments_.until, "likewise, not included; usual: now");
  report->add_option("--by", arguments_.by,
                     "task route model provider key group outcome failure hour day week user tag:NAME, with commas");
  report->add_option("--format", arguments_.format, "table, json or csv; usual: table");
  report->add_flag("--reprice", arguments_.reprice, "derive dollars again from the tokens, at today's prices");
  report->add_option("--from", arguments_.from, "drift: a day, or days as 2026-11-01..2026-11-07");
  report->add_option("--to", arguments_.to, "drift: the days to compare with");
  CLI::App* explain = cli.add_subcommand("explain", "one call's story: attempts, times, cost");
  explain->add_option("request-id", call_id_, "weir's id of the call, or the client's x-request-id")->required();
  for (CLI::App* command : {report, explain}) {
    command->add_option("--config", source_.file, "settings file; it says where the ledger is");
    command->add_option("--profile", source_.profile, "overlay under profiles: in the settings file");
  }
}

int ReportCommand::report() const {
  const auto options = accounting::parse_report(arguments_, unix_milliseconds());
  if (!options) return fail(ExitCode::usage, options.error().message);
  const auto catalogue = built_in_catalogue();
  const auto settings = settings_of(source_, *catalogue);
  if (!settings) return fail(ExitCode::failed, settings.error().message);
  const auto ledger = open_ledger(source_, *settings);
  if (!ledger) return fail(ExitCode::failed, ledger.error().message);
  const TodaysPrices prices(*settings, catalogue);
  const auto price_of = [&](std::string_view model, std::string_view provider, std::string_view reply_model) {
    return prices.price_of(model, provider, reply_model);
  };
  const auto text = accounting::run_report(*options, **ledger, price_of);
  if (!text) return fail(ExitCode::failed, text.error().message);
  fmt::print("{}", *text);
  return static_cast<int>(ExitCode::ok);
}

int ReportCommand::explain() const {
  const auto settings = settings_of(source_, *built_in_catalogue());
  if (!settings) return fail(ExitCode::failed, settings.error().message);
  const auto ledger = open_ledger(source_, *settings);
  if (!ledger) return fail(ExitCode::failed, ledger.error().message);
  const auto found = (*ledger)->find_calls(call_id_, unix_milliseconds() - kRequestIdsMs, kExplainedMax);
  if (!found) return fail(ExitCode::failed, found.error().message);
  if (found->calls.empty()) {
    return fail(ExitCode::failed,
                fmt::format("no call has the id {}: weir's own ids are in the log and in /api/calls, a client's "
                            "x-request-id is looked for in the last 30 days",
                            call_id_));
  }
  fmt::print("{}", accounting::explain_calls(*found));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace weir::app
