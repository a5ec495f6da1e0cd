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
#include "providers/http_wire.hpp"
#include "providers/stream_loop.hpp"

namespace weir::providers {
namespace {

/// What one stream is like on its way through: scans each event, passes it on without what the client did not ask for.
class ChatRelay {
 public:
  ChatRelay(const Exchange& exchange, ReplySink& reply)
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
  void at_end() {}
  bool failed() const { return failed_; }
  void failure_into(Ending& ending) const {
    ending.failure = Failure::upstream_protocol;
    ending.message = error_;
  }
  bool done_seen() const { return state_.done_seen(); }
  bool complete() const { return state_.complete(); }
  bool content_seen() const { return state_.content_seen(); }
  const std::string& model() const { return state_.model(); }
  const Usage& usage() const { return state_.usage(); }
  std::uint64_t text_bytes() const { return state_.text_bytes(); }
  std::size_t held_bytes() const { return held_bytes_; }
  std::int64_t next_event() const { return 0; }
  std::uint64_t unknown_events() const { return 0; }  // chat's events have no types

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

awaitable<Ending> HttpProvider::relay_chat_stream(Wire& wire, ReplySink& reply) {
  return run_stream(wire, reply, ChatRelay(wire.call.exchange, reply));
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
awaitable<void> HttpProvider::finish_reading(std::shared_ptr<net::UpstreamPool> pool, net::Worker& worker,
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
