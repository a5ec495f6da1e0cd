#pragma once
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>

#include "net/asio_types.hpp"

namespace weir::net {

/// Lets one coroutine sleep until another piece of the same thread wakes it. notify() without a sleeper is not kept:
/// the sleeper checks its condition before it waits.
class Event {
 public:
  awaitable<void> wait() {
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [this](auto handler) { waiter_ = std::move(handler); }, use_awaitable);
  }
  /// Runs the sleeper at once, inside this call: let it be the last thing that the caller does.
  void notify() {
    if (waiter_) std::exchange(waiter_, nullptr)();
  }
  bool awaited() const { return static_cast<bool>(waiter_); }

 private:
  asio::any_completion_handler<void()> waiter_;
};

}  // namespace weir::net
