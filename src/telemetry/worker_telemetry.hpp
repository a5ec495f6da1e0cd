#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/observer.hpp>
#include "telemetry/call_line.hpp"
#include "telemetry/log_writer.hpp"
#include "telemetry/recent_calls.hpp"
#include "telemetry/traces.hpp"
#include "telemetry/worker_metrics.hpp"

namespace weir::telemetry {

/// What one worker tells of its calls: counts them, writes their log lines, remembers the last ones.
///
/// Thread: the worker's; only metrics() is read by others. Lifetime: budget, writer and traces outlive it.
class alignas(64) WorkerTelemetry final : public Observer {
 public:
  /// `traces`: null = off.
  WorkerTelemetry(SeriesBudget& budget, MetricsSettings metrics, LogWriter& writer, std::uint64_t hash_seed,
                  Traces* traces = nullptr)
      : metrics_(budget, metrics, hash_seed), writer_(writer), traces_(traces) {}

  void call_started() override { metrics_.call_started(); }
  TraceContext trace_of(const CallId& id, std::string_view traceparent) override {
    return traces_ == nullptr ? TraceContext{} : traces_->sampler().begin(id, traceparent);
  }
  void call_ended(const Exchange& exchange) override;
  void refused(Failure failure, std::uint16_t status) override;

  /// Hands lines to the writer, spans to the exporter. Called about every 40 ms, and once when the worker stops.
  void tick();

  /// JSON objects, newest first (RULINGS 20); Telemetry::calls_body() joins those of all workers.
  std::vector<std::string> find_calls(std::string_view id) const { return recent_.find(id); }

  const WorkerMetrics& metrics() const { return metrics_; }

 private:
  template <class F>
  void write_line(F&& write);
  void write_trace(const Exchange& exchange);

  WorkerMetrics metrics_;
  LogWriter& writer_;
  LogBuffer buffer_;
  Traces* const traces_;
  SpanBuffer spans_;
  TimeText time_;
  RecentCalls recent_;
};

}  // namespace weir::telemetry
