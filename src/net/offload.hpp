#pragma once
#include <cstddef>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "net/asio_types.hpp"

namespace weir::net {

/// Threads of lower priority for work that would stall an io thread: reading bodies above
/// limits::read_at_once_bytes_max. Thread: shared by all workers. Lifetime: stopped before the workers' loops are
/// destroyed.
class Offload {
 public:
  explicit Offload(std::size_t threads);
  ~Offload() { stop(); }
  void stop();

  /// Runs `work` there and comes back to `home`. What `work` refers to must live until then; it must not throw.
  template <class Work>
  awaitable<void> run(Executor home, Work work) {
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [this, home, work = std::move(work)](auto handler) mutable {
          asio::post(pool_, [home, work = std::move(work), handler = std::move(handler)]() mutable {
            work();
            asio::post(home, std::move(handler));
          });
        },
        use_awaitable);
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace weir::net
