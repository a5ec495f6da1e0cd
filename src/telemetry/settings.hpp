#pragma once
#include <string>
#include <utility>
#include <vector>

namespace weir::telemetry {

enum class LogLevel { debug, info, warning, error };

/// `log:` where the line per call goes. The daemon's own messages go to stderr at `level`.
struct LogSettings {
  std::string to = "stdout";  ///< stdout, stderr, off, or a file's path (relative to the settings file's folder)
  LogLevel level = LogLevel::info;
  bool operator==(const LogSettings&) const = default;
};

/// `metrics:` what the metrics of calls are told apart by, beyond route, task, model and provider.
struct MetricsSettings {
  bool group = false;
  bool key = false;
  bool operator==(const MetricsSettings&) const = default;
};

/// `traces:` spans of calls and attempts, sent to a collector by OTLP over HTTP.
struct TracesSettings {
  std::string endpoint;  ///< with its path, like http://127.0.0.1:4318/v1/traces; empty = off
  double sample = 1.0;   ///< share of the traces that begin here; a client's own `traceparent` decides for itself
  std::vector<std::pair<std::string, std::string>> headers{};
  bool operator==(const TracesSettings&) const = default;
};

}  // namespace weir::telemetry
