#include "net/worker.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include <weir/base/log.hpp>

namespace weir::net {
namespace {

// 40 ms: what a worker has not yet handed to the ledger is lost by kill -9, and that may be 100 ms at most.
constexpr unsigned kTicksPerUpkeep = 2;

}  // namespace

Worker::Worker(std::size_t index) : index_(index), wheel_(Clock::now()) {}

void Worker::run(std::function<void(TimePoint)> on_tick) {
  spawn("tick", tick(std::move(on_tick)));
  io_.run();
}

void Worker::stop() {
  io_.stop();
}

void Worker::spawn(std::string_view what, awaitable<void> task) {
  tasks_.fetch_add(1, std::memory_order_relaxed);
  asio::co_spawn(io_, std::move(task), [this, what](std::exception_ptr thrown) {
    tasks_.fetch_sub(1, std::memory_order_relaxed);
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      log::error("a task ({}) ended by an exception: {}; please report this", what, error.what());
    } catch (...) {
      log::error("a task ({}) ended by an unknown exception; please report this", what);
    }
  });
}

awaitable<void> Worker::tick(std::function<void(TimePoint)> on_tick) {
  Timer timer(executor());
  for (unsigned count = 1;; ++count) {
    timer.expires_after(DeadlineWheel::kTick);
    co_await timer.async_wait(as_value);
    const TimePoint now = Clock::now();
    wheel_.tick(now);
    if (count % kTicksPerUpkeep != 0) continue;
    try {
      on_tick(now);
    } catch (const std::exception& error) {  // the wheel must go on turning
      log::error("upkeep failed: {}", error.what());
    }
  }
}

}  // namespace weir::net
