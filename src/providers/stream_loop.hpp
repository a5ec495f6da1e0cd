#pragma once
#include <utility>

#include <fmt/format.h>

#include <weir/exchange/limits.hpp>
#include "providers/http_wire.hpp"

namespace weir::providers {

/// Reads a stream to its end. A relay takes whole events, passes on what the client gets, and says what it has seen:
/// take(ready), take_last(rest), at_end(), fail(message), failed(), failure_into(ending), done_seen(), complete(),
/// content_seen(), held_bytes(), model(), usage(), text_bytes(), next_event(), unknown_events(). A template: what is
/// done per event is not virtual.
template <class Relay>
awaitable<Ending> HttpProvider::run_stream(Wire& wire, ReplySink& reply, Relay relay) {
  Exchange& exchange = wire.call.exchange;
  const TimeLimits& limits = wire.call.target.time_limits;
  bool committed = false;
  bool first = true;
  Ending ending;
  for (;;) {
    const std::string_view ready = wire.input().view().substr(0, wire.body.ready());
    if (first && !ready.empty()) {
      first = false;
      first_byte_times_.record(wire.call.target.provider_name, wire.call.target.model, exchange.request.prompt_bytes,
                               Clock::now() - wire.attempt.started);
    }
    const std::size_t taken = relay.take(ready);
    if (wire.body.done() && taken < ready.size()) relay.take_last(ready.substr(taken));
    wire.input().consume(taken);
    wire.body.consumed(taken);
    if (relay.failed() || relay.done_seen() || wire.body.done() || wire.body.failed()) break;
    if (wire.body.ready() > limits::sse_event_bytes_max) {
      relay.fail(fmt::format("an event has more than {} bytes", limits::sse_event_bytes_max));
      break;
    }
    // Held back until there is content: up to there a failure can still become an honest status (RULINGS 13).
    committed |= relay.content_seen() || relay.held_bytes() > limits::first_content_held_bytes_max;
    if (committed) {
      wire.timer.only_total();  // a client that reads slowly is not the provider's silence
      if (co_await reply.flush() == Flow::stop) {
        exchange.interrupt.fire(InterruptReason::client_left);
        break;
      }
    }
    if (!first) wire.timer.limit(Clock::now() + limits.between_bytes, InterruptReason::timeout_between_bytes);
    co_await wire.more(limits::stream_read_bytes);
  }

  const bool broken_off = exchange.interrupt.fired() || wire.body.failed();
  if (!broken_off && !relay.failed()) relay.at_end();
  wire.attempt.reply_model = relay.model();
  wire.attempt.usage = relay.usage();
  wire.attempt.relayed_text_bytes = relay.text_bytes();
  wire.attempt.unknown_events = relay.unknown_events();
  exchange.next_event = relay.next_event();
  ending.content_sent = committed;
  if (relay.failed()) {
    ending.phase = Phase::body;
    relay.failure_into(ending);
    ending.message =
        fmt::format("provider {} failed inside its stream: {}", wire.call.target.provider_name, ending.message);
    co_return ending;
  }
  if (!relay.complete() || (broken_off && !relay.done_seen())) {
    Ending broken = wire.broken(Phase::body);
    broken.content_sent = committed;
    co_return broken;
  }
  if (wire.body.done()) {
    wire.input().consume(wire.body.ready());
    wire.body.consumed(wire.body.ready());
    give_back(wire);
  } else if (!wire.body.failed() && wire.sent && wire.head.keep_alive()) {
    // The last chunk's end is still on its way; the client need not wait for it.
    worker_.spawn("rest of a stream", finish_reading(pool_, worker_, std::move(wire.connection), wire.body));
  }
  co_return ending;
}

}  // namespace weir::providers
