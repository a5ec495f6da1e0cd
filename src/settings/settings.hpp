#pragma once
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounting/settings.hpp"
#include "admin/settings.hpp"
#include "admission/settings.hpp"
#include "net/settings.hpp"
#include "pipeline/resolve/settings.hpp"
#include "pipeline/retry/settings.hpp"
#include "providers/settings.hpp"
#include "telemetry/settings.hpp"

namespace weir::settings {

/// Everything a settings file may say, checked, with defaults filled in and variables replaced. Plain data.
struct Settings {
  std::filesystem::path file;  ///< empty = no file: providers come from the environment
  std::vector<net::ListenSettings> listen{net::ListenSettings{}};
  bool open = false;
  admin::AdminSettings admin;
  std::size_t threads = 0;  ///< 0 = auto: one per processor
  std::chrono::milliseconds drain{600'000};
  net::LimitSettings limits;
  std::string default_provider;  ///< `default:`
  std::vector<providers::ProviderSettings> providers;
  std::vector<pipeline::ModelSettings> models;
  std::vector<pipeline::RouteSettings> routes;
  std::optional<std::chrono::milliseconds> deadline;  ///< defaults: {deadline: …}
  std::vector<admission::KeySettings> keys;
  std::vector<admission::GroupSettings> groups;
  std::string keys_file;  ///< `stores.keys`: keys made at run time; empty = weir.keys beside the ledger
  accounting::LedgerSettings ledger;
  pipeline::WaySettings way_defaults;  ///< defaults: {retry: …, zones: …, …}
  pipeline::RetrySettings retry;
  telemetry::LogSettings log;
  telemetry::MetricsSettings metrics;
  telemetry::TracesSettings traces;
  std::vector<std::string> warnings;  ///< said by `weir check` and the log: an off provider, a near-miss
};

}  // namespace weir::settings
