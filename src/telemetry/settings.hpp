#pragma once
#include <string>

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

}  // namespace weir::telemetry
