#pragma once
#include "net/worker.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace weir::fakes {

/// A worker whose loop turns only while the test waits for something, on the test's own thread: no races, no sleeps.
/// Time limits pass when the test says so (skip()).
/// Lifetime: the first thing of a test, so that it outlives all that runs on it.
class TurnedWorker {
 public:
  net::Worker& operator*() { return worker_; }
  net::Worker* operator->() { return &worker_; }

  /// Turns the loop until `condition` holds; throws when it does not within a minute.
  template <class Condition>
  void until(Condition condition) {
    const TimePoint end = Clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (Clock::now() > end) throw std::runtime_error("what the test waits for did not happen");
      if (worker_.io().stopped()) worker_.io().restart();
      worker_.io().run_one_for(std::chrono::milliseconds(1));
    }
  }
  /// Runs what is ready now.
  void settle() {
    worker_.io().restart();
    while (worker_.io().poll() != 0) {
    }
  }
  /// Acts as if that much time had passed, for deadlines only.
  void skip(Duration time) {
    ahead_ += time;
    worker_.deadlines().tick(Clock::now() + ahead_);
  }

  /// Runs a coroutine to its end.
  template <class T>
  T run(awaitable<T> task) {
    std::optional<T> result;
    start(std::move(task), result);
    until([&] { return result.has_value(); });
    return std::move(*result);
  }
  void run(awaitable<void> task) {
    bool done = false;
    start(std::move(task), done);
    until([&] { return done; });
  }
  /// Starts a coroutine; `result` is set at its end and outlives it.
  template <class T>
  void start(awaitable<T> task, std::optional<T>& result) {
    boost::asio::co_spawn(worker_.io(), std::move(task), [&result](std::exception_ptr thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      result.emplace(std::move(value));
    });
    settle();
  }
  void start(awaitable<void> task, bool& done) {
    boost::asio::co_spawn(worker_.io(), std::move(task), [&done](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
      done = true;
    });
    settle();
  }

 private:
  net::Worker worker_{0};
  Duration ahead_{};
};

}  // namespace weir::fakes
