#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <weir/exchange/failure.hpp>
#include "net/body_budget.hpp"
#include "net/connection.hpp"
#include "net/deadline_wheel.hpp"
#include "net/http1_head.hpp"
#include "net/settings.hpp"

namespace weir::net {

/// Why a request's body could not be had.
enum class BodyState : std::uint8_t { complete, too_large, no_room, too_slow, malformed, left };

/// One request on a client's connection, as the front door hands it to its handler. The handler reads the body (or
/// not), sends exactly one answer, and returns; what is left of the body then closes the connection.
///
/// Thread: the connection's worker. Lifetime: ends with RequestHandler::handle(); all views of head() and body() stand
/// still from the end of read_body() until then.
class ServerCall final : private Connection::WriteProgress {
 public:
  /// The session's state that both see: what its deadline means now, and whether it passed.
  struct Progress {
    enum class Waiting : std::uint8_t { handshake, idle, message, answer };
    Waiting waiting = Waiting::handshake;
    bool timed_out = false;
  };

  ServerCall(Connection& connection, Deadline& deadline, const LimitSettings& limits, RequestHead& head,
             const bool& draining, Progress& progress, BodyBudget* bodies = nullptr)
      : connection_(connection),
        deadline_(deadline),
        limits_(limits),
        head_(head),
        draining_(draining),
        progress_(progress),
        share_(bodies) {}

  const RequestHead& head() const { return head_; }
  const LimitSettings& limits() const { return limits_; }

  /// Reads the whole body, decoded and in one piece, asking for it first where the client waits for 100 Continue.
  awaitable<BodyState> read_body();
  std::string_view body() const { return {connection_.input().data() + head_.head_bytes(), body_size_}; }
  /// Whether read_body() has nothing to wait for.
  bool body_at_hand() const;
  bool has_body() const { return head_.chunked() || head_.content_length().value_or(0) > 0; }

  /// Whether the connection goes on after this answer. The answer's head says the same: whoever writes it asks
  /// settle_keep_alive(), and what was said there is kept when a drain begins later.
  bool keep_alive() const { return head_.keep_alive() && !close_ && body_done(); }
  bool settle_keep_alive() {
    close_ |= draining_ && !more_behind();  // a pipelined request has been taken: it gets its answer
    return keep_alive();
  }
  /// Whether more has come behind this request.
  bool more_behind() const { return connection_.input().size() > consumed() || connection_.has_landed(); }
  void close_after() { close_ = true; }

  /// From now on the client's leaving breaks the call off. Only after the body was read.
  void watch(Connection::Watcher& watcher) { connection_.watch(&watcher); }
  void stop_watching() { connection_.stop_watching(); }
  /// The connection was broken off by weir itself, at the end of its drain.
  bool aborted() const { return connection_.aborted(); }

  /// Sends all; false = the client is gone, or took nothing for limits::client_write_time.
  awaitable<bool> send(std::span<asio::const_buffer> buffers);
  bool answered() const { return answered_; }

 private:
  friend class ServerSession;
  void moved() override { deadline_.arm(Clock::now() + limits::client_write_time); }
  bool body_done() const { return body_read_ || !has_body(); }
  std::size_t consumed() const { return head_.head_bytes() + body_size_; }
  awaitable<BodyState> read_sized_body(std::uint64_t size);
  awaitable<BodyState> read_chunked_body();
  BodyState interrupted() const { return progress_.timed_out ? BodyState::too_slow : BodyState::left; }
  void find_head_again(const char* was_at);

  Connection& connection_;
  Deadline& deadline_;
  const LimitSettings& limits_;
  RequestHead& head_;
  const bool& draining_;
  Progress& progress_;
  BodyShare share_;
  std::size_t body_size_ = 0;
  bool body_read_ = false;
  bool close_ = false;
  bool answered_ = false;
};

/// What stands behind the front door. One per worker.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual awaitable<void> handle(ServerCall& call) = 0;
  /// The whole answer to something that never became a request: the body's shape is the handler's business. It is
  /// counted here. `Connection: close` must be said.
  virtual std::string refusal(std::uint16_t status, std::string_view reason) = 0;
};

}  // namespace weir::net
