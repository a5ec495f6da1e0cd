#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>

#include <weir/exchange/interrupt.hpp>
#include "net/asio_types.hpp"
#include "net/worker.hpp"

namespace weir::api {

/// The calls that the process answers at once (`limits.in_flight`), and the line of those that wait for a place
/// (`queue.max`): first come, first served over all workers, since a free place goes to the first of the line and
/// nobody overtakes it.
///
/// Thread: any. Taking and leaving are one atomic step each while nobody waits; the lock is for the line.
/// Lifetime: outlives the workers.
class Places {
 public:
  explicit Places(std::size_t most) : most_(most) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  std::size_t most() const { return most_; }
  bool full() const { return taken_.load(std::memory_order_relaxed) >= most_; }
  const std::atomic<std::size_t>& waiting() const { return waiting_; }

  /// A place at once, or none.
  bool try_take() { return waiting_.load() == 0 && take_one(); }
  /// Waits in the line on the call's own worker; false = no place came in that time, or the call was broken off.
  awaitable<bool> wait(net::Worker& worker, Interrupt& interrupt, std::chrono::milliseconds longest);
  void leave();

 private:
  class Waiter;
  bool take_one();
  void hand_on();
  void join(Waiter& waiter);
  bool step_out(Waiter& waiter);

  const std::size_t most_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;
  std::list<Waiter*> line_;  ///< under the lock; waiting_ is its size
};

/// A call's place, left when it goes out of scope.
class Place {
 public:
  explicit Place(Places& places) : places_(places) {}
  ~Place() { leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool try_take() { return taken_ = places_.try_take(); }
  awaitable<bool> wait(net::Worker& worker, Interrupt& interrupt, std::chrono::milliseconds longest) {
    taken_ = co_await places_.wait(worker, interrupt, longest);
    co_return taken_;
  }
  void leave() {
    if (taken_) places_.leave();
    taken_ = false;
  }

 private:
  Places& places_;
  bool taken_ = false;
};

}  // namespace weir::api
