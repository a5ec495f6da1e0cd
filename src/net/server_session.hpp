#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <weir/base/spare.hpp>
#include "net/connection.hpp"
#include "net/server_call.hpp"
#include "net/settings.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

namespace weir::net {

class ServerSession;

/// One worker's side of the front door: the sessions that were dealt to it. Thread: the worker's, but for the counters.
class Door {
 public:
  /// `bodies`: the process's memory for bodies, or null where it is not bounded.
  Door(Worker& worker, RequestHandler& handler, const LimitSettings& limits, std::atomic<std::size_t>& connections,
       BodyBudget* bodies = nullptr)
      : worker_(worker),
        handler_(handler),
        limits_(std::make_shared<const LimitSettings>(limits)),
        connections_(connections),
        bodies_(bodies) {}

  /// Serves one accepted connection until it ends. `tls` may be null.
  void take(Socket socket, std::shared_ptr<TlsContext> tls);
  void set_limits(const LimitSettings& limits) { limits_ = std::make_shared<const LimitSettings>(limits); }
  /// How connections end. Both ways say `Connection: close` with the last answer that was asked for.
  enum class Drain : std::uint8_t {
    patient,  ///< another process takes what is new: an idle connection gets one more answer, until its idle limit
    at_once,  ///< nobody does: idle connections are closed now
  };
  /// Every connection ends with the answer it is at, or the one that it waits for; at_once may follow patient.
  void drain(Drain how);
  /// Breaks off what is still there.
  void abort();
  std::size_t sessions() const { return sessions_.size(); }

 private:
  friend class ServerSession;
  awaitable<void> serve(std::shared_ptr<Connection> connection, std::shared_ptr<TlsContext> tls);

  Worker& worker_;
  RequestHandler& handler_;
  std::shared_ptr<const LimitSettings> limits_;
  std::atomic<std::size_t>& connections_;
  BodyBudget* bodies_;
  std::vector<ServerSession*> sessions_;
  Spare<RequestHead> heads_;
  bool draining_ = false;
  bool closes_idle_ = false;
};

/// One client connection: request after request, in order. Lives in Door::serve's coroutine.
class ServerSession final : private Deadline {
 public:
  ServerSession(Door& door, Connection& connection);
  ~ServerSession() override;
  awaitable<void> run(TlsContext* tls);

 private:
  friend class Door;
  using Waiting = ServerCall::Progress::Waiting;

  void expired() override;
  awaitable<bool> wait_for_first_byte();
  awaitable<bool> serve_one();
  awaitable<void> refuse(std::uint16_t status, std::string_view reason);
  awaitable<void> linger();

  Door& door_;
  Connection& connection_;
  std::size_t index_;
  std::shared_ptr<const LimitSettings> limits_;
  ServerCall::Progress progress_;
};

}  // namespace weir::net
