#include "net/server_session.hpp"

#include <algorithm>
#include <utility>

namespace weir::net {
namespace {

HeadLimits head_limits(const LimitSettings& limits) {
  HeadLimits result;
  result.head_bytes_max = static_cast<std::uint32_t>(limits.head_bytes);
  return result;
}

/// What has to happen when a client's connection is done with.
class Departure {
 public:
  Departure(Connection& connection, std::atomic<std::size_t>& connections)
      : connection_(connection), connections_(connections) {}
  ~Departure() {
    connection_.stop_watching();
    connection_.close();
    connections_.fetch_sub(1, std::memory_order_relaxed);
  }
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

 private:
  Connection& connection_;
  std::atomic<std::size_t>& connections_;
};

}  // namespace

void Door::take(Socket socket, std::shared_ptr<TlsContext> tls) {
  worker_.spawn("session", serve(std::make_shared<Connection>(std::move(socket)), std::move(tls)));
}

awaitable<void> Door::serve(std::shared_ptr<Connection> connection, std::shared_ptr<TlsContext> tls) {
  const Departure departure(*connection, connections_);  // also when the session ends by an exception
  ServerSession session(*this, *connection);
  co_await session.run(tls.get());
}

void Door::drain(Drain how) {
  draining_ = true;
  closes_idle_ |= how == Drain::at_once;
  if (!closes_idle_) return;
  for (ServerSession* session : sessions_) {
    if (session->progress_.waiting == ServerSession::Waiting::idle) session->connection_.close();
  }
}

void Door::abort() {
  for (ServerSession* session : sessions_) session->connection_.abort();
}

ServerSession::ServerSession(Door& door, Connection& connection)
    : Deadline(door.worker_.deadlines()),
      door_(door),
      connection_(connection),
      index_(door.sessions_.size()),
      limits_(door.limits_) {
  door.sessions_.push_back(this);
}

ServerSession::~ServerSession() {
  ServerSession* last = door_.sessions_.back();
  last->index_ = index_;
  door_.sessions_[index_] = last;
  door_.sessions_.pop_back();
}

void ServerSession::expired() {
  progress_.timed_out = true;
  if (progress_.waiting == Waiting::message) {
    connection_.wake();  // it hears why: 408
  } else {
    connection_.close();
  }
}

awaitable<void> ServerSession::run(TlsContext* tls) {
  if (tls != nullptr) {
    arm(Clock::now() + limits_->head_time);
    if (co_await connection_.start_tls(*tls, "")) co_return;
  }
  while (co_await wait_for_first_byte()) {
    if (!co_await serve_one()) co_return;
  }
}

awaitable<bool> ServerSession::wait_for_first_byte() {
  limits_ = door_.limits_;
  Buffer& input = connection_.input();
  connection_.take_landed();
  if (input.empty()) {
    if (door_.closes_idle_) co_return false;
    progress_.waiting = Waiting::idle;
    arm(Clock::now() + limits_->idle);
    if (input.capacity() > 2 * limits::connection_read_bytes) input.shrink_to(0);
    while (input.empty()) {
      if (connection_.ended()) co_return false;
      connection_.watch(nullptr);  // lands beside the buffer, which stays small while nothing comes
      co_await connection_.more(limits::connection_read_bytes);
    }
  }
  co_return true;
}

awaitable<bool> ServerSession::serve_one() {
  progress_.waiting = Waiting::message;
  progress_.timed_out = false;
  const auto lent = door_.heads_.lend();
  RequestHead& head = *lent;
  head.reset();
  Buffer& input = connection_.input();
  bool timed = false;
  for (;;) {
    const ScanState state = head.scan(input.view(), head_limits(*limits_));
    if (state == ScanState::complete) break;
    if (state == ScanState::refused) {
      co_await refuse(static_cast<std::uint16_t>(head.status()), head.reason());
      co_return false;
    }
    if (!std::exchange(timed, true)) arm(Clock::now() + limits_->head_time);
    const std::size_t before = input.size();
    co_await connection_.more(limits::connection_read_bytes);
    if (input.size() != before) continue;
    if (progress_.timed_out) {
      co_await refuse(408, "the request's head did not arrive in time; send it at once, or raise limits.head_time");
      co_return false;
    }
    if (connection_.ended()) co_return false;
  }
  ServerCall call(connection_, *this, *limits_, head, door_.draining_, progress_, door_.bodies_);
  co_await door_.handler_.handle(call);
  connection_.stop_watching();
  disarm();
  progress_.waiting = Waiting::answer;
  if (!call.answered() || connection_.ended()) co_return false;
  if (!call.keep_alive() || (door_.closes_idle_ && !call.more_behind())) {
    co_await linger();
    co_return false;
  }
  input.consume(call.consumed());
  co_return true;
}

awaitable<void> ServerSession::refuse(std::uint16_t status, std::string_view reason) {
  progress_.waiting = Waiting::answer;
  const std::string answer = door_.handler_.refusal(status, reason);
  arm(Clock::now() + limits::refusal_discard_time);
  if (co_await connection_.write(answer)) co_await linger();
}

// An answer to a client that is still sending would be lost in the reset that a plain close causes (RFC 9112, 9.6).
awaitable<void> ServerSession::linger() {
  connection_.shutdown_send();
  progress_.waiting = Waiting::answer;
  arm(Clock::now() + limits::refusal_discard_time);
  std::size_t discarded = 0;
  Buffer& input = connection_.input();
  while (!connection_.ended() && discarded < limits::refusal_discard_bytes_max) {
    discarded += input.size();
    input.clear();
    co_await connection_.more(limits::stream_read_bytes);
  }
}

}  // namespace weir::net
