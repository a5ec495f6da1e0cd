#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weir/base/result.hpp>
#include <weir/exchange/limits.hpp>
#include "accounting/call_tally.hpp"
#include "accounting/ledger_queue.hpp"
#include "accounting/ledger_recorder.hpp"
#include "accounting/settings.hpp"

namespace weir::accounting {

/// The durable book of calls: a recorder per worker, one thread that writes, and the count of what was lost.
///
/// Thread: opened and stopped by the main thread; worker(i) is that worker's; counters() may be read by any.
/// Lifetime: outlives the workers.
class Ledger {
 public:
  /// The error names `stores.ledger`. Says in the log how many calls of processes that died are missing.
  static Result<std::unique_ptr<Ledger>> open(const LedgerSettings& settings, std::size_t workers);
  /// Over a store that is open; `prefix`: begin of the path of the count's file.
  static Result<std::unique_ptr<Ledger>> over(std::unique_ptr<store::LedgerStore> store, std::uint64_t instance,
                                              const std::string& prefix, std::size_t workers,
                                              std::size_t waiting_bytes_max = limits::ledger_waiting_bytes_max);
  ~Ledger();  ///< stop() with a second
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  bool on() const { return state_ != nullptr; }
  LedgerRecorder& worker(std::size_t index) { return recorders_[index]; }
  const LedgerCounters& counters() const;

  /// Writes all that was recorded; what cannot be written within that time is counted as lost, here or at the next
  /// start. Requires: no worker runs any more.
  void stop(std::chrono::milliseconds within);

 private:
  struct State {  // shared: a writer stuck in the store at the end is left behind with it
    LedgerCounters counters;
    std::unique_ptr<CallTally> tally;
    std::unique_ptr<LedgerQueue> queue;
  };
  Ledger() = default;

  std::shared_ptr<State> state_;  ///< null = off
  std::uint64_t instance_ = 0;
  std::vector<LedgerRecorder> recorders_;
  std::thread thread_;
};

}  // namespace weir::accounting
