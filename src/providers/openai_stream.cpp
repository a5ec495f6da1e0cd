#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <weir/exchange/limits.hpp>
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/redact.hpp"
#include "dialects/openai_chat/stream_scanner.hpp"
#include "net/sse_scanner.hpp"
#include "providers/openai_wire.hpp"

namespace weir::providers {
namespace {

/// What one stream is like on its way through: scans each event, passes it on without what the client did not ask for.
class StreamRelay {
 public:
  StreamRelay(const Exchange& exchange, ReplySink& reply)
      : reply_(reply), strip_usage_(exchange.request.stream && !exchange.request.include_usage) {}

  /// Passes on every whole event of `ready`; returns how many bytes were taken. Stops at an error.
  std::size_t take(std::string_view ready) {
    std::size_t taken = 0;
    while (!failed_ && !state_.done_seen()) {
      const auto raw = scanner_.next(ready.substr(taken));
      if (!raw) break;
      pass_on(*raw);
      taken += raw->size();
    }
    return taken;
  }
  /// The connection ended: the last event may lack its blank line.
  void take_last(std::string_view rest) {
    rest = scanner_.at_end(rest);
    if (!rest.empty() && !failed_ && !state_.done_seen()) pass_on(rest);
  }

  void fail(std::string error) {
    failed_ = true;
    error_ = std::move(error);
  }
  const openai_chat::StreamState& state() const { return state_; }
  bool failed() const { return failed_; }
  const std::string& error() const { return error_; }
  std::size_t held_bytes() const { return held_bytes_; }

 private:
  void pass_on(std::string_view raw) {
    const net::SseFields fields = net::parse_sse_event(raw, scratch_);
    const openai_chat::ChunkFacts chunk = openai_chat::read_chunk(raw, fields.event, fields.data);
    state_.add(chunk);
    switch (chunk.kind) {
      case openai_chat::ChunkKind::malformed:
        failed_ = true;
        error_ = "an event of its stream is no JSON object";
        return;
      case openai_chat::ChunkKind::error:
        failed_ = true;
        error_ = openai_chat::redact(openai_chat::read_error(fields.data).message);
        return;
      case openai_chat::ChunkKind::usage_only:
        if (strip_usage_) return;  // asked for by weir: the client must not see it
        break;
      default:
        break;
    }
    const bool edited = (strip_usage_ && chunk.has_usage_member) || chunk.usage.reported;
    const std::string_view text = edited && !chunk.rewritten.empty() ? std::string_view(chunk.rewritten) : raw;
    held_bytes_ += text.size();
    if (strip_usage_ && chunk.has_usage_member) {
      reply_.event(text.substr(0, chunk.usage_cut.begin));
      reply_.event(text.substr(chunk.usage_cut.end));
    } else if (chunk.usage.reported) {
      reply_.usage_event(text, chunk.usage_end);
    } else {
      reply_.event(text);
    }
  }

  ReplySink& reply_;
  net::SseScanner scanner_;
  openai_chat::StreamState state_;
  std::string scratch_;
  std::string error_;
  std::size_t held_bytes_ = 0;
  bool strip_usage_;
  bool failed_ = false;
};

}  // namespace

awaitable<Ending> OpenAiProvider::relay_stream(Wire& wire, ReplySink& reply) {
  Exchange& exchange = wire.call.exchange;
  const TimeLimits& limits = wire.call.target.time_limits;
  StreamRelay relay(exchange, reply);
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
    if (relay.failed() || relay.state().done_seen() || wire.body.done() || wire.body.failed()) break;
    if (wire.body.ready() > limits::sse_event_bytes_max) {
      relay.fail(fmt::format("an event has more than {} bytes", limits::sse_event_bytes_max));
      break;
    }
    // Held back until there is content: up to there a failure can still become an honest status (RULINGS 13).
    committed |= relay.state().content_seen() || relay.held_bytes() > limits::first_content_held_bytes_max;
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

  wire.attempt.reply_model = relay.state().model();
  wire.attempt.usage = relay.state().usage();
  wire.attempt.relayed_text_bytes = relay.state().text_bytes();
  ending.content_sent = committed;
  if (relay.failed()) {
    ending.failure = Failure::upstream_protocol;
    ending.phase = Phase::body;
    ending.message =
        fmt::format("provider {} failed inside its stream: {}", wire.call.target.provider_name, relay.error());
    co_return ending;
  }
  const bool broken_off = exchange.interrupt.fired() || wire.body.failed();
  if (!relay.state().complete() || (broken_off && !relay.state().done_seen())) {
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

namespace {

/// Gives the end of a stream a second to come.
class RestTimer final : public net::Deadline {
 public:
  RestTimer(net::DeadlineWheel& wheel, net::Connection& connection) : Deadline(wheel), connection_(connection) {
    arm(Clock::now() + std::chrono::seconds(1));
  }

 private:
  void expired() override { connection_.close(); }
  net::Connection& connection_;
};

}  // namespace

// Static: a reload may have put the provider away before the end came.
awaitable<void> OpenAiProvider::finish_reading(std::shared_ptr<net::UpstreamPool> pool, net::Worker& worker,
                                               std::unique_ptr<net::UpstreamConnection> connection,
                                               net::BodyReader body) {
  net::Connection& link = **connection;
  RestTimer timer(worker.deadlines(), link);
  while (!body.done() && !body.failed()) {
    link.input().consume(body.ready());
    body.consumed(body.ready());
    co_await link.more(limits::connection_read_bytes);
    body.advance(link.input(), link.ended(), link.ended() && link.error());
  }
  timer.disarm();
  link.input().consume(body.ready());
  if (body.reusable()) pool->give_back(std::move(connection));
}

}  // namespace weir::providers
