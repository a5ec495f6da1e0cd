#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <weir/base/clock.hpp>
#include "store/ledger.hpp"

namespace weir::accounting {

/// What the ledger tells of itself; any thread may read.
struct LedgerCounters {
  std::atomic<std::uint64_t> written{0};             ///< calls made durable by this process
  std::atomic<std::uint64_t> dropped{0};             ///< calls given up: too many waited
  std::atomic<std::uint64_t> lost_at_last_start{0};  ///< calls of processes that died, which never became rows
  std::atomic<std::uint64_t> waiting{0};             ///< calls handed over and not yet written
  std::atomic<std::uint64_t> spooled{0};             ///< calls on disk that wait for a database
  std::atomic<std::uint64_t> rejected{0};            ///< calls that the database refused, set aside on disk
  std::atomic<std::uint64_t> write_errors{0};        ///< tries that failed
};

/// Memory that rows of a batch take.
std::size_t bytes_of(const store::LedgerBatch& batch);
/// Appends copies of all rows.
void append_rows(store::LedgerBatch& to, const store::LedgerBatch& from);

/// Batches on their way from the workers to the store, and the loop that writes them. While the store fails they wait,
/// up to a bound of bytes; beyond it the newest are dropped and counted.
///
/// Thread: exchange() from any worker; run() is the writer's thread; stop() from the owner's.
class LedgerQueue {
 public:
  LedgerQueue(std::unique_ptr<store::LedgerStore> store, LedgerCounters& counters, std::size_t waiting_bytes_max);

  /// Takes rows, gives an empty batch with its memory back. One short lock; never waits for the store.
  store::LedgerBatch exchange(store::LedgerBatch filled);

  void run();
  /// From now on nothing is taken; what waits is written. True: run() has ended before `until`.
  bool stop(TimePoint until);

  /// Only before run() began and after it ended.
  store::LedgerStore& store() { return *store_; }

 private:
  void take(std::vector<store::LedgerBatch>& fresh);
  void write_pending();
  void give_back(store::LedgerBatch batch);
  void choose_pauses(std::size_t calls);
  void pause();
  void upkeep();

  std::unique_ptr<store::LedgerStore> store_;
  LedgerCounters& counters_;
  const std::size_t waiting_bytes_max_;

  std::mutex mutex_;  // with a condition variable, which Guarded has none of
  std::condition_variable changed_;
  std::vector<store::LedgerBatch> fresh_;
  std::vector<store::LedgerBatch> spares_;
  std::size_t waiting_bytes_ = 0;  ///< fresh and pending
  bool stopping_ = false;
  bool done_ = false;
  TimePoint stop_until_{};

  // The writer's own.
  struct Pending {
    store::LedgerBatch rows;
    std::size_t bytes = 0;  ///< by which waiting_bytes_ grew for them
  };
  std::deque<Pending> pending_;
  std::chrono::microseconds pause_{};  ///< after each piece of the batch that is being written
  TimePoint retry_at_{};
  std::chrono::milliseconds back_off_{};
  TimePoint upkeep_at_{};
  bool failing_ = false;
  bool dropping_ = false;
  std::uint64_t dropped_said_ = 0;
};

}  // namespace weir::accounting
