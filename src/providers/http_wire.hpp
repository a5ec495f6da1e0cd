#pragma once
#include <memory>
#include <string>
#include <utility>

#include <weir/exchange/service.hpp>
#include "net/body_reader.hpp"
#include "net/http1_head.hpp"
#include "net/upstream_pool.hpp"
#include "providers/attempt_timer.hpp"
#include "providers/http_provider.hpp"

namespace weir::providers {

/// One answer being read off one connection: what all the ways of reading it need. Lives in exchange_once().
struct HttpProvider::Wire {
  const Call& call;
  Attempt& attempt;
  AttemptTimer& timer;
  std::unique_ptr<net::UpstreamConnection> connection;
  net::ReplyHead& head;
  net::BodyReader body;
  bool sent;  ///< the whole request; else the provider answered before it had taken it, and the connection is spent
  const Translation* translation;  ///< null = the provider speaks the client's dialect, or the call is raw

  Buffer& input() { return (*connection)->input(); }

  void advance() {
    const bool ended = (*connection)->ended();
    body.advance(input(), ended, ended && (*connection)->error());
  }

  /// Reads on and takes the framing off; false = nothing more will come (body.done() or body.failed()).
  awaitable<bool> more(std::size_t room) {
    if (body.done() || body.failed()) co_return false;
    co_await (*connection)->more(room);
    advance();
    co_return true;
  }

  Ending broken(Phase phase) const {
    Ending ending;
    ending.phase = phase;
    const InterruptReason reason = call.exchange.interrupt.reason();
    ending.failure = reason == InterruptReason::none ? Failure::upstream_protocol : failure_of(reason);
    return ending;
  }
};

/// The sentence for a failure that the provider did not explain itself.
std::string explain(Failure failure, std::string_view provider, const TimeLimits& limits);

}  // namespace weir::providers
