#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "targets/places.hpp"
#include "telemetry/worker_metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace weir::telemetry {

/// What the ledger tells of itself; null = there is none. Owned by the ledger, which outlives the page.
struct LedgerCounts {
  const std::atomic<std::uint64_t>* written = nullptr;
  const std::atomic<std::uint64_t>* dropped = nullptr;
  const std::atomic<std::uint64_t>* lost_at_last_start = nullptr;
  const std::atomic<std::uint64_t>* waiting = nullptr;
  const std::atomic<std::uint64_t>* spooled = nullptr;
  const std::atomic<std::uint64_t>* write_errors = nullptr;
  const std::atomic<std::uint64_t>* rejected = nullptr;
};

/// Sums all workers' counters for one scrape. Slots are never removed and counters only grow, so nothing on the page
/// goes backwards while the process lives.
///
/// Thread: any one at a time. Lifetime: what it reads outlives it.
class MetricsPage final : public prometheus::Collectable {
 public:
  struct Sources {
    std::vector<const WorkerMetrics*> workers;
    const std::atomic<std::size_t>* connections =
        nullptr;                                        ///< clients' open connections; null = not shown as more than 0
    const std::atomic<std::size_t>* waiting = nullptr;  ///< calls in the queue; null = as connections
    MetricsSettings labels{};
    LedgerCounts ledger{};
    const std::atomic<std::uint64_t>* log_lines_dropped = nullptr;
    const std::atomic<std::uint64_t>* log_write_errors = nullptr;
    const std::atomic<std::uint64_t>* traces_exported = nullptr;
    const std::atomic<std::uint64_t>* traces_dropped = nullptr;
    std::function<std::vector<targets::Places::Seen>()> places = {};  ///< budgets and circuits; empty = not on the page
  };

  explicit MetricsPage(Sources sources) : sources_(std::move(sources)) {}
  void set_ledger(const LedgerCounts& counts) { sources_.ledger = counts; }  ///< before the first scrape
  void show_places(std::function<std::vector<targets::Places::Seen>()> places) { sources_.places = std::move(places); }

  std::vector<prometheus::MetricFamily> Collect() const override;
  /// The page in Prometheus's text format, version 0.0.4.
  std::string text() const;

 private:
  Sources sources_;
};

}  // namespace weir::telemetry
