#include "net/upstream_pool.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace weir::net {
namespace {

/// Breaks off a connect: from outside, or after a while.
class SocketBreaker final : public Interruptible, public Deadline {
 public:
  SocketBreaker(DeadlineWheel& wheel, Socket& socket) : Deadline(wheel), socket_(socket) {}
  void interrupt() override {
    ErrorCode ignored;
    socket_.close(ignored);
  }

 private:
  void expired() override { interrupt(); }
  Socket& socket_;
};

/// A call that waits for a place under connections.max.
class Place final : public Interruptible {
 public:
  Place(std::list<Event*>& waiting, std::atomic<std::size_t>& wanted)
      : waiting_(waiting), wanted_(wanted), at_(waiting.insert(waiting.end(), &event_)) {
    wanted_.fetch_add(1, std::memory_order_relaxed);
  }
  ~Place() {
    wanted_.fetch_sub(1, std::memory_order_relaxed);
    waiting_.erase(at_);
  }
  void interrupt() override { event_.notify(); }
  awaitable<void> wait() { return event_.wait(); }

 private:
  Event event_;
  std::list<Event*>& waiting_;
  std::atomic<std::size_t>& wanted_;
  std::list<Event*>::iterator at_;
};

// With several addresses a dead one must not use up the time of the others.
constexpr std::chrono::milliseconds kTimeOfOneAddress{500};

}  // namespace

UpstreamConnection::UpstreamConnection(UpstreamPool& pool, std::shared_ptr<Connection> connection)
    : pool_(pool.weak_from_this()), address_(pool.address_), connection_(std::move(connection)) {}

UpstreamConnection::~UpstreamConnection() {
  connection_->stop_watching();
  connection_->close();
  address_->open.fetch_sub(1, std::memory_order_relaxed);
  if (address_->wanted.load(std::memory_order_relaxed) == 0) return;
  if (const auto pool = pool_.lock()) pool->wake_soon();
}

void UpstreamConnection::peer_left() {
  // Closed by the provider while idle: forgotten before a call could be tried on it.
  const auto pool = pool_.lock();
  if (!pool) return;
  auto& idle = pool->idle_;
  std::unique_ptr<UpstreamConnection> self = std::move(idle[idle_index_]);
  if (idle_index_ + 1 != idle.size()) {
    idle[idle_index_] = std::move(idle.back());
    idle[idle_index_]->idle_index_ = idle_index_;
  }
  idle.pop_back();
}

UpstreamPool::~UpstreamPool() = default;

std::unique_ptr<UpstreamConnection> UpstreamPool::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<UpstreamConnection> last = std::move(idle_.back());
    idle_.pop_back();
    (*last)->stop_watching();
    if (!(*last)->ended() && !(*last)->has_landed() && (*last)->input().empty()) return last;
  }
  return nullptr;
}

void UpstreamPool::give_back(std::unique_ptr<UpstreamConnection> connection) {
  Connection& link = **connection;
  if (link.ended() || link.has_landed() || !link.input().empty()) return;  // what it says unasked is nobody's answer
  // The cap is the process's: a place that this worker would only keep warm is another's turn.
  if (waiting_.empty() && address_->wanted.load(std::memory_order_relaxed) != 0) return;
  if (link.input().capacity() > 2 * limits::stream_read_bytes) link.input().shrink_to(0);
  connection->idle_since_ = Clock::now();
  connection->idle_index_ = idle_.size();
  UpstreamConnection& watcher = *connection;
  idle_.push_back(std::move(connection));
  link.watch(&watcher);
  if (!waiting_.empty()) wake_waiters();
}

void UpstreamPool::upkeep(TimePoint now) {
  std::size_t kept = 0;
  std::size_t spared = waiting_.empty() ? address_->wanted.load(std::memory_order_relaxed) : 0;
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    if (now - idle_[i]->idle_since_ > address_->idle || spared != 0) {
      spared -= spared != 0 ? 1 : 0;
      idle_[i].reset();
      continue;
    }
    if (kept != i) idle_[kept] = std::move(idle_[i]);
    idle_[kept]->idle_index_ = kept;
    ++kept;
  }
  idle_.resize(kept);
  if (!waiting_.empty()) wake_waiters();
}

bool UpstreamPool::has_room() const {
  return !idle_.empty() || address_->open.load(std::memory_order_relaxed) < address_->connections_max;
}

void UpstreamPool::wake_waiters() {
  while (!waiting_.empty() && has_room()) {
    const std::size_t before = waiting_.size();
    waiting_.front()->notify();  // the first to come is the first to go; it leaves the list if it got a place
    if (waiting_.size() >= before) return;
  }
}

void UpstreamPool::wake_soon() {
  asio::post(worker_.executor(), [pool = weak_from_this()] {
    if (const auto alive = pool.lock()) alive->wake_waiters();
  });
}

awaitable<bool> UpstreamPool::wait_for_room(Interrupt& interrupt) {
  const auto take = [this] {
    if (address_->open.fetch_add(1, std::memory_order_relaxed) < address_->connections_max) return true;
    address_->open.fetch_sub(1, std::memory_order_relaxed);
    return false;
  };
  if (take()) co_return true;
  if (!idle_.empty()) co_return false;
  Place place(waiting_, address_->wanted);
  const Interrupt::Scope scope(interrupt, place);
  while (!interrupt.fired()) {
    co_await place.wait();
    if (interrupt.fired() || !idle_.empty()) co_return false;
    if (take()) co_return true;
  }
  co_return false;
}

awaitable<UpstreamPool::Leased> UpstreamPool::lease(Interrupt& interrupt, Attempt& attempt, bool fresh) {
  Leased leased;
  for (;;) {
    if (!fresh) leased.connection = take_idle();
    if (leased.connection) {
      leased.reused = true;
      co_return leased;
    }
    if (co_await wait_for_room(interrupt)) break;
    if (interrupt.fired()) {
      leased.failure = Failure::gateway_busy;
      leased.phase = Phase::resolve;
      co_return leased;
    }
    fresh = false;
  }
  leased = co_await connect(interrupt, attempt);
  if (!leased.connection) {
    address_->open.fetch_sub(1, std::memory_order_relaxed);
    if (!waiting_.empty()) wake_soon();
  }
  co_return leased;
}

awaitable<UpstreamPool::Leased> UpstreamPool::connect(Interrupt& interrupt, Attempt& attempt) {
  Leased leased;
  leased.failure = Failure::upstream_unreachable;
  TimePoint begun = Clock::now();
  const auto phase_over = [&](Phase phase) {
    const TimePoint now = Clock::now();
    attempt.duration_of(phase) = now - begun;
    begun = now;
  };

  leased.phase = Phase::resolve;
  Resolver::Answer answer = co_await resolver_.resolve(address_->host, address_->port, interrupt);
  phase_over(Phase::resolve);
  if (answer.endpoints.empty() || interrupt.fired()) {
    leased.message = std::move(answer.error);
    co_return leased;
  }
  if (address_->allowed != nullptr) {
    std::erase_if(answer.endpoints, [this](const Tcp::endpoint& one) { return !address_->allowed(one.address()); });
    if (answer.endpoints.empty()) {
      leased.message = fmt::format("{} has no public address", address_->host);
      co_return leased;
    }
  }

  leased.phase = Phase::connect;
  Socket socket(worker_.executor());
  ErrorCode error;
  const std::size_t first = next_address_;
  for (std::size_t i = 0; i < answer.endpoints.size(); ++i) {
    const Tcp::endpoint& endpoint = answer.endpoints[(first + i) % answer.endpoints.size()];
    socket = Socket(worker_.executor());
    socket.open(endpoint.protocol(), error);
    if (error) continue;
    SocketBreaker breaker(worker_.deadlines(), socket);
    if (i + 1 < answer.endpoints.size()) breaker.arm(Clock::now() + kTimeOfOneAddress);
    const Interrupt::Scope scope(interrupt, breaker);
    auto [failed] = co_await socket.async_connect(endpoint, as_value);
    error = failed;
    if (!error) next_address_ = first + i;  // the one that answers is asked first the next time
    if (!error || interrupt.fired()) break;
  }
  phase_over(Phase::connect);
  if (error || interrupt.fired()) {
    leased.message = fmt::format("cannot connect to {}:{}: {}", address_->host, address_->port, error.message());
    co_return leased;
  }

  auto connection = std::make_shared<Connection>(std::move(socket));
  if (address_->tls) {
    leased.phase = Phase::tls;
    const Interrupt::Scope scope(interrupt, *connection);
    error = co_await connection->start_tls(*address_->tls, address_->host);
    phase_over(Phase::tls);
    if (error || interrupt.fired()) {
      connection->close();
      leased.message = fmt::format("TLS with {}:{} failed: {}; set tls.ca of the provider if it has its own authority",
                                   address_->host, address_->port, error.message());
      co_return leased;
    }
  }
  leased.failure = Failure::none;
  leased.phase = Phase::none;
  leased.connection = std::make_unique<UpstreamConnection>(*this, std::move(connection));
  co_return leased;
}

}  // namespace weir::net
