#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <weir/exchange/interrupt.hpp>
#include "net/asio_types.hpp"
#include "net/event.hpp"
#include "net/worker.hpp"

namespace weir::net {

/// Names to addresses, off the io thread and remembered for `kKept` (getaddrinfo tells no time to live). Lookups of one
/// name join; while a renewal runs or when it fails, the old addresses serve on. Thread: one per worker.
class Resolver {
 public:
  static constexpr std::chrono::seconds kKept{30};

  explicit Resolver(Worker& worker) : resolver_(worker.executor()) {}

  struct Answer {
    std::vector<Tcp::endpoint> endpoints;  ///< empty = failed, or interrupted
    std::string error;
  };
  awaitable<Answer> resolve(std::string host, std::uint16_t port, Interrupt& interrupt);

 private:
  struct Entry;
  asio::ip::basic_resolver<Tcp, Executor> resolver_;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_;
};

}  // namespace weir::net
