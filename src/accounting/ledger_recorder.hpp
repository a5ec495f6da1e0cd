#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>

#include <weir/exchange/observer.hpp>
#include "store/ledger.hpp"

namespace weir::accounting {

class LedgerQueue;

/// Writes the calls of one worker into a batch and hands it to the ledger's thread.
///
/// Thread: the worker's. No lock and, once warm, no allocation per call. Lifetime: queue and count outlive it.
class LedgerRecorder final : public Observer {
 public:
  LedgerRecorder() = default;  ///< records nothing: the ledger is off
  LedgerRecorder(LedgerQueue& queue, std::atomic<std::uint64_t>& ended) : queue_(&queue), ended_(&ended) {}

  void call_ended(const Exchange& exchange) override;

  /// Hands over what there is. Called at least every 50 ms (what is not handed over is lost by kill -9), and once when
  /// the worker has stopped.
  void tick();

 private:
  std::string_view label(std::string_view text, std::string_view before);
  void add_attempt(const Attempt& attempt);

  LedgerQueue* queue_ = nullptr;
  std::atomic<std::uint64_t>* ended_ = nullptr;
  store::LedgerBatch batch_;
};

}  // namespace weir::accounting
