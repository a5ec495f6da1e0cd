#include "net/offload.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace weir::net {

Offload::Offload(std::size_t threads) : pool_(threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    // Linux counts niceness per thread; each of the pool's threads takes one of these before any work.
    asio::post(pool_, [] { setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 5); });
  }
}

void Offload::stop() {
  pool_.stop();
  pool_.join();
}

}  // namespace weir::net
