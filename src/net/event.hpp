#pragma once
#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include <boost/asio/async_result.hpp>

#include "net/asio_types.hpp"

namespace weir::net {

/// Lets one coroutine sleep until another piece of the same thread wakes it. notify() without a sleeper is not kept:
/// the sleeper checks its condition before it waits.
///
/// The sleeper's handler is kept in place: a completion handler of the library's own any_completion_handler kind would
/// allocate (and in Boost 1.81 recurses without end when it is assigned).
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { drop(); }

  awaitable<void> wait() {
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [this](auto handler) { keep(std::move(handler)); }, use_awaitable);
  }
  /// Runs the sleeper at once, inside this call: let it be the last thing that the caller does.
  void notify() {
    if (resume_ != nullptr) std::exchange(resume_, nullptr)(storage_.data());
  }
  bool awaited() const { return resume_ != nullptr; }
  /// Destroys the sleeper unwoken, this event with it where it lies in the sleeper's own frame: for a loop that ends.
  void abandon() { drop(); }

 private:
  template <class Handler>
  void keep(Handler handler) {
    static_assert(sizeof(Handler) <= sizeof(storage_) && alignof(Handler) <= alignof(std::max_align_t));
    drop();
    new (storage_.data()) Handler(std::move(handler));
    resume_ = [](void* at) {
      auto* kept = static_cast<Handler*>(at);
      Handler running(std::move(*kept));
      kept->~Handler();
      std::move(running)();
    };
    destroy_ = [](void* at) {
      auto* kept = static_cast<Handler*>(at);
      const Handler last(std::move(*kept));  // its end may be the end of what it was kept in
      kept->~Handler();
    };
  }
  void drop() {
    if (std::exchange(resume_, nullptr) != nullptr) destroy_(storage_.data());
  }

  alignas(std::max_align_t) std::array<std::byte, 48> storage_;
  void (*resume_)(void*) = nullptr;
  void (*destroy_)(void*) = nullptr;
};

}  // namespace weir::net
