#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <weir/base/log.hpp>
#include <weir/base/result.hpp>
#include "targets/places.hpp"
#include "telemetry/settings.hpp"
#include "telemetry/worker_telemetry.hpp"

namespace weir::telemetry {

class MetricsPage;

log::Level level_of(LogLevel level);

/// Owns what the workers' telemetry shares: the log's writer, the limit on series, the metrics page.
///
/// Thread: made and stopped by the main thread; worker(i) is that worker's; metrics_text() on one thread at a time.
/// Lifetime: outlives the workers.
class Telemetry {
 public:
  /// `connections`: how many clients are connected, for the page; may be null. The error names `log.to`.
  static Result<std::unique_ptr<Telemetry>> open(const LogSettings& settings, std::size_t workers,
                                                 const std::atomic<std::size_t>* connections);
  ~Telemetry();

  WorkerTelemetry& worker(std::size_t index) { return *workers_[index]; }

  /// What is known of places, for the page. Called before the first metrics_text(), on its thread later.
  void show_places(std::function<std::vector<targets::Places::Seen>()> places);

  /// What /metrics serves, as `metrics_content_type`.
  std::string metrics_text() const;
  static constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// {"calls":[…]} of what the workers' find_calls() gave, newest first.
  static std::string calls_body(std::vector<std::string> calls);

  /// After a rotation (same path) or a reload (another).
  Result<void> reopen_log(const std::string& to) { return writer_->reopen(to); }

  /// Flushes the log. Requires: no worker runs any more.
  void stop();

 private:
  Telemetry(std::unique_ptr<LogWriter> writer, std::size_t workers, const std::atomic<std::size_t>* connections);

  SeriesBudget budget_;
  std::unique_ptr<LogWriter> writer_;
  std::vector<std::unique_ptr<WorkerTelemetry>> workers_;
  std::unique_ptr<MetricsPage> page_;
};

}  // namespace weir::telemetry
