#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include <weir/base/random.hpp>
#include "net/asio_types.hpp"
#include "net/deadline_wheel.hpp"

namespace weir::net {

/// One io thread: its event loop, its deadlines, its dice. All connections dealt to it live and die here.
/// Thread: everything but post() and the constructor belongs to the thread that runs run().
class Worker {
 public:
  explicit Worker(std::size_t index);

  std::size_t index() const { return index_; }
  asio::io_context& io() { return io_; }
  Executor executor() { return io_.get_executor(); }
  DeadlineWheel& deadlines() { return wheel_; }
  Random& random() { return random_; }

  /// Runs until stop(); `on_tick` is called about every 40 ms (hand-over to log and ledger, pool upkeep).
  void run(std::function<void(TimePoint now)> on_tick);
  void stop();  ///< from any thread

  /// The one way to start a coroutine: counts it, and logs what it throws. Arguments of the coroutine go by value.
  void spawn(std::string_view what, awaitable<void> task);
  std::size_t tasks() const { return tasks_.load(std::memory_order_relaxed); }

 private:
  awaitable<void> tick(std::function<void(TimePoint)> on_tick);

  std::size_t index_;
  // Not without Asio's locks around sockets (UNSAFE_IO): whoever accepts a connection for another worker registers it
  // there.
  asio::io_context io_{1};
  DeadlineWheel wheel_;
  Random random_;
  std::atomic<std::size_t> tasks_{0};
};

}  // namespace weir::net
