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
struct LedgerCounts;

log::Level level_of(LogLevel level);

/// Owns what the workers' telemetry shares: the log's writer, the traces, the limit on series, the metrics page.
///
/// Thread: made and stopped by the main thread; worker(i) is that worker's; metrics_text() on one thread at a time.
/// Lifetime: outlives the workers.
class Telemetry {
 public:
  /// `connections`: how many clients are connected, `waiting`: how many calls wait for a place, for the page; may be
  /// null. The error names `log.to` or `traces.endpoint`.
  static Result<std::unique_ptr<Telemetry>> open(const LogSettings& settings, MetricsSettings metrics,
                                                 std::size_t workers, const std::atomic<std::size_t>* connections,
                                                 const TracesSettings& traces = {},
                                                 const std::atomic<std::size_t>* waiting = nullptr);
  ~Telemetry();

  WorkerTelemetry& worker(std::size_t index) { return *workers_[index]; }

  /// What is known of places, for the page. Called before the first metrics_text(), on its thread later.
  void show_places(std::function<std::vector<targets::Places::Seen>()> places);

  /// What /metrics serves, as `metrics_content_type`.
  std::string metrics_text() const;
  static constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// {"calls":[…]} of what the workers' find_calls() gave, newest first.
  static std::string calls_body(std::vector<std::string> calls);

  /// Before the first scrape.
  void set_ledger(const LedgerCounts& counts);

  /// After a rotation (same path) or a reload (another).
  Result<void> reopen_log(const std::string& to) { return writer_->reopen(to); }

  /// Flushes log and traces. Requires: no worker runs any more.
  void stop();

 private:
  Telemetry(std::unique_ptr<LogWriter> writer, MetricsSettings metrics, std::unique_ptr<Traces> traces,
            std::size_t workers, const std::atomic<std::size_t>* connections, const std::atomic<std::size_t>* waiting);

  SeriesBudget budget_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<Traces> traces_;  ///< null = off
  std::vector<std::unique_ptr<WorkerTelemetry>> workers_;
  std::unique_ptr<MetricsPage> page_;
};

}  // namespace weir::telemetry
