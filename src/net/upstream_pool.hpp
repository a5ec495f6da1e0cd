#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <weir/exchange/attempt.hpp>
#include <weir/exchange/interrupt.hpp>
#include "net/connection.hpp"
#include "net/resolver.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

namespace weir::net {

/// Where one provider entry is reached; shared by the pools of all workers, so that its cap holds for the process.
struct UpstreamAddress {
  std::string host;
  std::uint16_t port = 443;
  std::shared_ptr<TlsContext> tls;  ///< null = plain
  /// Which of the addresses that the name stands for may be connected to; null = all.
  bool (*allowed)(const asio::ip::address& address) = nullptr;
  std::size_t connections_max = 1024;
  std::chrono::milliseconds idle{60'000};
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> wanted{0};  ///< calls that wait for a place, on all workers
};

class UpstreamPool;

/// One provider connection with its place in the pool.
class UpstreamConnection final : public Connection::Watcher {
 public:
  UpstreamConnection(UpstreamPool& pool, std::shared_ptr<Connection> connection);
  ~UpstreamConnection();
  Connection& operator*() { return *connection_; }
  Connection* operator->() { return connection_.get(); }

 private:
  friend class UpstreamPool;
  void peer_left() override;

  std::weak_ptr<UpstreamPool> pool_;  ///< weak: the pool owns its idle connections
  std::shared_ptr<UpstreamAddress> address_;
  std::shared_ptr<Connection> connection_;
  TimePoint idle_since_{};
  std::size_t idle_index_ = 0;
};

/// Live connections to one provider entry, kept warm between calls, the last used first.
///
/// Thread: one pool per worker and provider entry; only the count in UpstreamAddress is shared.
/// Lifetime: a lease may outlive its pool; it is closed unless give_back() returns it.
class UpstreamPool final : public std::enable_shared_from_this<UpstreamPool> {
 public:
  UpstreamPool(Worker& worker, Resolver& resolver, std::shared_ptr<UpstreamAddress> address)
      : worker_(worker), resolver_(resolver), address_(std::move(address)) {}
  ~UpstreamPool();

  struct Leased {
    std::unique_ptr<UpstreamConnection> connection;  ///< null = failed
    bool reused = false;
    Failure failure = Failure::none;
    Phase phase = Phase::none;
    std::string message;  ///< names host and port, never a key
  };
  /// An idle connection, or with `fresh` or without one a new one: address, connect, TLS, each timed into `attempt`.
  /// The caller arms the time limit; an interrupted lease comes back without a connection and says the phase.
  awaitable<Leased> lease(Interrupt& interrupt, Attempt& attempt, bool fresh);
  /// An idle connection at once, or null: the fast path, without a coroutine.
  std::unique_ptr<UpstreamConnection> take_idle();
  /// Only after the answer was read to its end and nothing is left over.
  void give_back(std::unique_ptr<UpstreamConnection> connection);
  /// Closes what was idle for too long, and lets waiters look again. About every 100 ms.
  void upkeep(TimePoint now);
  std::size_t idle() const { return idle_.size(); }
  const UpstreamAddress& address() const { return *address_; }

 private:
  friend class UpstreamConnection;
  awaitable<bool> wait_for_room(Interrupt& interrupt);
  awaitable<Leased> connect(Interrupt& interrupt, Attempt& attempt);
  bool has_room() const;
  void wake_waiters();
  void wake_soon();

  Worker& worker_;
  Resolver& resolver_;
  std::shared_ptr<UpstreamAddress> address_;
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;
  std::list<Event*> waiting_;
  std::size_t next_address_ = 0;
};

}  // namespace weir::net
