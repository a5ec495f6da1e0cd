#include "telemetry/telemetry.hpp"

#include <weir/base/random.hpp>
#include "telemetry/metrics_page.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace weir::telemetry {

log::Level level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return log::Level::debug;
    case LogLevel::info:
      return log::Level::info;
    case LogLevel::warning:
      return log::Level::warning;
    case LogLevel::error:
      return log::Level::error;
  }
  return log::Level::info;
}

Result<std::unique_ptr<Telemetry>> Telemetry::open(const LogSettings& settings, MetricsSettings metrics,
                                                   std::size_t workers, const std::atomic<std::size_t>* connections,
                                                   const TracesSettings& traces,
                                                   const std::atomic<std::size_t>* waiting) {
  auto writer = LogWriter::open(settings.to);
  if (!writer) return std::unexpected(writer.error());
  auto sender = Traces::open(traces);
  if (!sender) return std::unexpected(sender.error());
  return std::unique_ptr<Telemetry>(
      new Telemetry(std::move(*writer), metrics, std::move(*sender), workers, connections, waiting));
}

Telemetry::Telemetry(std::unique_ptr<LogWriter> writer, MetricsSettings metrics, std::unique_ptr<Traces> traces,
                     std::size_t workers, const std::atomic<std::size_t>* connections,
                     const std::atomic<std::size_t>* waiting)
    : writer_(std::move(writer)), traces_(std::move(traces)) {
  MetricsPage::Sources sources;
  sources.connections = connections;
  sources.labels = metrics;
  sources.waiting = waiting;
  sources.log_lines_dropped = &writer_->lines_dropped();
  sources.log_write_errors = &writer_->write_errors();
  if (traces_ != nullptr) {
    sources.traces_exported = &traces_->exported();
    sources.traces_dropped = &traces_->dropped();
  }
  Random random;
  for (std::size_t i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<WorkerTelemetry>(budget_, metrics, *writer_, random.next(), traces_.get()));
    sources.workers.push_back(&workers_.back()->metrics());
  }
  page_ = std::make_unique<MetricsPage>(std::move(sources));
}

void Telemetry::show_places(std::function<std::vector<targets::Places::Seen>()> places) {
  page_->show_places(std::move(places));
}

Telemetry::~Telemetry() {
  stop();
}

std::string Telemetry::metrics_text() const {
  return page_->text();
}

std::string Telemetry::calls_body(std::vector<std::string> calls) {
  // Each begins with its id, a UUIDv7: the greater text is the newer call.
  std::sort(calls.begin(), calls.end(), std::greater{});
  std::string body = R"({"calls":[)";
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (i > 0) body += ',';
    body += calls[i];
  }
  return body + "]}";
}

void Telemetry::set_ledger(const LedgerCounts& counts) {
  page_->set_ledger(counts);
}

void Telemetry::stop() {
  for (const auto& worker : workers_) worker->tick();
  writer_->stop();
  if (traces_ != nullptr) traces_->stop();
}

}  // namespace weir::telemetry
