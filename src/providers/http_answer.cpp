#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>
#include <weir/exchange/limits.hpp>
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/redact.hpp"
#include "dialects/openai_chat/reply_reader.hpp"
#include "dialects/openai_chat/retry_after.hpp"
#include "dialects/vocabulary/replay.hpp"
#include "dialects/vocabulary/stream_tally.hpp"
#include "providers/http_wire.hpp"

namespace weir::providers {
namespace {

constexpr std::size_t kErrorBodyBytesMax = 256U << 10;
const vocabulary::ReplyHints kNoHints;

bool is_stream(std::string_view content_type, std::string_view kind) {
  return content_type.size() >= kind.size() && equals_ignoring_case(content_type.substr(0, kind.size()), kind);
}

/// The dialects whose answers the reader and the scanner of OpenAI's chat know.
bool reads_as_chat(Dialect dialect) {
  return dialect == Dialect::openai_chat || dialect == Dialect::openai_completions;
}

// What of a raw answer's head goes down: never cookies, the organisation or the provider's rate limits.
bool goes_down(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kPassed{
      "content-disposition", "content-language", "content-range", "accept-ranges", "etag",
      "last-modified",       "cache-control",    "openai-version"};
  return std::ranges::any_of(kPassed, [&](std::string_view passed) { return equals_ignoring_case(name, passed); });
}

}  // namespace

std::string explain(Failure failure, std::string_view provider, const TimeLimits& limits) {
  switch (failure) {
    case Failure::upstream_timeout_connect:
      return fmt::format("provider {} could not be reached within timeouts.connect ({} ms)", provider,
                         limits.connect.count());
    case Failure::upstream_timeout_first_byte:
      return fmt::format("provider {} sent no first byte in time; raise timeouts.first_byte if it is healthy and slow",
                         provider);
    case Failure::upstream_timeout_between_bytes:
      return fmt::format("provider {} fell silent in the middle of its answer (timeouts.between_bytes: {} ms)",
                         provider, limits.between_bytes.count());
    case Failure::upstream_timeout_total:
      return fmt::format("provider {} did not finish in time; raise timeouts.total or deadline", provider);
    case Failure::upstream_protocol:
      return fmt::format("provider {} cut its answer off, or sent something that is none", provider);
    case Failure::gateway_busy:
      return fmt::format("all connections to provider {} are in use; raise its connections.max", provider);
    case Failure::upstream_unreachable:
      return fmt::format("provider {} cannot be reached", provider);
    default:
      return fmt::format("provider {} failed", provider);
  }
}

awaitable<Ending> HttpProvider::answer(Wire& wire, ReplySink& reply) {
  Exchange& exchange = wire.call.exchange;
  exchange.next_event = 0;
  const std::string content_type(wire.head.find("content-type").value_or(""));
  const bool event_stream = is_stream(content_type, rules_->accepted_stream());
  const bool success = wire.head.status() >= 200 && wire.head.status() < 300;

  ReplyHead head;
  head.status = wire.attempt.provider_status;
  head.content_type = content_type;
  head.event_stream = event_stream;
  std::vector<HeaderField> passed_on;
  if (exchange.raw) {
    for (const HeaderField& field : wire.head.fields()) {
      if (goes_down(field.name)) passed_on.push_back(field);
    }
    head.passed_on = passed_on;
    if (success || head.status < 400) head.length = wire.head.content_length();
  }
  if (exchange.raw && head.status < 400) {
    reply.head(head);
    wire.input().consume(wire.head.head_bytes());
    wire.advance();
    co_return co_await relay_raw(wire, reply);
  }
  wire.input().consume(wire.head.head_bytes());
  wire.advance();
  if (!success) co_return co_await read_error(wire);
  const bool translated = wire.translation != nullptr;
  if (translated) head.content_type = exchange.request.stream ? "text/event-stream" : "application/json";
  if (event_stream && exchange.request.stream) {
    head.event_stream = true;
    reply.head(head);
    if (!translated && reads_as_chat(exchange.request.dialect)) co_return co_await relay_chat_stream(wire, reply);
    co_return co_await relay_decoded_stream(wire, reply);
  }
  if (!translated &&
      wire.body.announced() > limits::reply_held_bytes_max) {  // RULINGS 3: too large to be held, relayed as it arrives
    reply.head(head);
    co_return co_await relay_raw(wire, reply);
  }
  if (wire.body.announced() > limits::reply_held_bytes_max) co_return too_large(wire);
  head.event_stream = translated && exchange.request.stream;  // SEMANTICS 32: told as a stream
  reply.head(head);
  co_return co_await hold_whole(wire, reply);
}

awaitable<Ending> HttpProvider::relay_raw(Wire& wire, ReplySink& reply) {
  const Exchange& exchange = wire.call.exchange;
  bool relayed = false;
  bool flushed = false;
  for (;;) {
    const std::size_t ready = wire.body.ready();
    if (ready != 0) {
      reply.event(wire.input().view().substr(0, ready));
      wire.input().consume(ready);
      wire.body.consumed(ready);
      relayed = true;
      if (!exchange.raw) wire.attempt.relayed_text_bytes += ready;  // too large to be read: estimated from its bytes
    }
    if (wire.body.done() || wire.body.failed()) break;
    if (relayed) {
      wire.timer.only_total();
      flushed = true;
    }
    if (relayed && co_await reply.flush() == Flow::stop) {
      Ending left = wire.broken(Phase::body);
      left.failure = Failure::client_left;
      left.content_sent = true;
      co_return left;
    }
    if (relayed) {  // before the first byte of the body its own limit holds
      wire.timer.limit(Clock::now() + wire.call.target.time_limits.between_bytes,
                       InterruptReason::timeout_between_bytes);
    }
    co_await wire.more(limits::stream_read_bytes);
  }
  if (!wire.body.done() || exchange.interrupt.fired()) {
    Ending ending = wire.broken(Phase::body);
    ending.content_sent = flushed;
    co_return ending;
  }
  give_back(wire);
  co_return Ending{};
}

Ending HttpProvider::too_large(const Wire& wire) {
  Ending ending = wire.broken(Phase::body);
  ending.message = fmt::format("provider {} answered with more than {} MiB, which weir does not translate",
                               wire.call.target.provider_name, limits::reply_held_bytes_max >> 20);
  return ending;
}

awaitable<Ending> HttpProvider::hold_whole(Wire& wire, ReplySink& reply) {
  // Until the body begins the first byte's limit holds: a provider may send the head at once and think then.
  const auto limit = [&] {
    if (wire.body.ready() == 0) return;
    wire.timer.limit(Clock::now() + wire.call.target.time_limits.between_bytes, InterruptReason::timeout_between_bytes);
  };
  while (!wire.body.done()) {
    limit();
    const std::uint64_t announced = wire.body.announced();
    const std::size_t room = announced != 0 ? static_cast<std::size_t>(announced)
                                            : std::max<std::size_t>(limits::stream_read_bytes, wire.body.ready() / 2);
    if (!co_await wire.more(room) || wire.call.exchange.interrupt.fired()) break;
    if (wire.body.ready() > limits::reply_held_bytes_max) {
      if (wire.translation != nullptr) co_return too_large(wire);
      co_return co_await relay_raw(wire, reply);
    }
  }
  if (!wire.body.done() || wire.call.exchange.interrupt.fired()) co_return wire.broken(Phase::body);

  Buffer whole = std::move(wire.input());
  std::optional<Ending> failed;
  if (wire.translation == nullptr && reads_as_chat(wire.call.exchange.request.dialect)) {
    std::expected<openai_chat::ReplyFacts, std::string> facts;
    const auto read = [&] { facts = openai_chat::read_reply(whole.view()); };
    if (whole.size() <= limits::read_at_once_bytes_max) {
      read();
    } else {
      co_await offload_.run(worker_.executor(), read);
    }
    failed = pass_whole(wire, std::move(facts), whole, reply);
  } else {
    failed = co_await decode_whole(wire, whole, reply);
  }
  wire.input() = std::move(whole);  // what the sink gave in exchange
  if (failed) wire.input().clear();
  give_back(wire);
  co_return failed ? std::move(*failed) : Ending{};
}

namespace {

Ending no_answer(std::string_view name, unsigned status, std::string_view what) {
  Ending ending;
  ending.failure = Failure::upstream_protocol;
  ending.phase = Phase::body;
  ending.message = fmt::format("provider {} answered {} with {}", name, status, what);
  return ending;
}

}  // namespace

std::optional<Ending> HttpProvider::pass_whole(Wire& wire, std::expected<openai_chat::ReplyFacts, std::string> facts,
                                               Buffer& whole, ReplySink& reply) {
  if (facts && facts->error)
    facts = std::unexpected("an error: " + openai_chat::redact(openai_chat::read_error(whole.view()).message));
  if (!facts) {
    return no_answer(wire.call.target.provider_name, wire.attempt.provider_status, facts.error());
  }
  wire.attempt.usage = facts->usage;
  wire.attempt.relayed_text_bytes = facts->text_bytes;
  wire.attempt.reply_model = std::move(facts->model);
  reply.whole(std::move(whole));
  return std::nullopt;
}

awaitable<std::optional<Ending>> HttpProvider::decode_whole(Wire& wire, Buffer& whole, ReplySink& reply) {
  const Request& request = wire.call.exchange.request;
  const Translation* const translation = wire.translation;
  const vocabulary::Codec& codec =
      translation != nullptr ? translation->upstream() : rules_->native_codec(request.dialect);
  std::expected<vocabulary::ChatReply, std::string> decoded;
  std::string text;
  const auto read = [&] {
    decoded = codec.decode_reply(whole.view(), translation != nullptr ? translation->request().hints : kNoHints);
    const bool encodes = decoded && !decoded->error && translation != nullptr && !request.stream;
    if (encodes) translation->client().encode_reply(*decoded, translation->context(), text);
  };
  if (whole.size() <= limits::read_at_once_bytes_max) {
    read();
  } else {
    co_await offload_.run(worker_.executor(), read);
  }
  if (!decoded) co_return no_answer(wire.call.target.provider_name, wire.attempt.provider_status, decoded.error());
  if (decoded->error) {
    Ending ending = rules_->decode_error(wire.attempt.provider_status, whole.view(), {}, {});
    ending.phase = Phase::body;
    ending.provider_body.clear();
    if (ending.ok()) ending.failure = Failure::upstream_protocol;
    co_return ending;
  }
  wire.attempt.usage = decoded->usage.usage;
  wire.attempt.relayed_text_bytes = vocabulary::text_bytes(*decoded);
  wire.attempt.reply_model = decoded->model.str();
  if (translation == nullptr) {
    reply.whole(std::move(whole));
  } else if (request.stream) {
    StreamWriter writer(translation->client().make_stream_encoder(translation->context()), reply);
    std::vector<vocabulary::StreamEvent> events;
    vocabulary::replay(*decoded, events);
    writer.write(events);
    whole.clear();
  } else {
    whole.clear();
    whole.append(text);
    reply.whole(std::move(whole));
  }
  co_return std::nullopt;
}

awaitable<Ending> HttpProvider::read_error(Wire& wire) {
  wire.timer.limit(Clock::now() + wire.call.target.time_limits.between_bytes, InterruptReason::timeout_between_bytes);
  std::string retry_after(wire.head.find("retry-after").value_or(""));
  const std::string exception(wire.head.find("x-amzn-errortype").value_or(""));
  const std::string retry_after_ms(wire.head.find("retry-after-ms").value_or(""));
  const bool permanent = wire.head.find("x-should-retry").value_or("") == "false";
  while (!wire.body.done() && wire.body.ready() < kErrorBodyBytesMax) {
    if (!co_await wire.more(limits::stream_read_bytes) || wire.call.exchange.interrupt.fired()) break;
  }
  if (wire.call.exchange.interrupt.reason() == InterruptReason::client_left) co_return wire.broken(Phase::body);
  const std::string_view body = wire.input().view().substr(0, wire.body.ready());
  Ending ending = rules_->decode_error(wire.attempt.provider_status, body, retry_after, exception);
  if (wire.translation != nullptr) ending.provider_body.clear();  // no error of the client's dialect
  ending.phase = Phase::body;
  ending.permanent = ending.permanent || permanent;
  if (const auto said = openai_chat::read_retry_after({retry_after_ms, retry_after, body, unix_milliseconds()})) {
    ending.back_in = said;
  }
  // What the provider said in another form the client gets in the one that all SDKs read.
  if (openai_chat::passes_wait_on(ending.failure) && ending.back_in && ending.retry_after.empty()) {
    ending.retry_after = std::to_string((ending.back_in->count() + 999) / 1000);
  }
  // The provider refused before it generated anything; only its own failures may have cost something.
  wire.attempt.may_have_been_billed =
      wire.attempt.provider_status >= 500 && ending.failure != Failure::upstream_overloaded;
  if (wire.body.done()) {
    wire.input().consume(wire.body.ready());
    wire.body.consumed(wire.body.ready());
    give_back(wire);
  }
  co_return ending;
}

void HttpProvider::give_back(Wire& wire) {
  if (wire.connection && wire.sent && wire.body.reusable() && wire.head.keep_alive())
    pool_->give_back(std::move(wire.connection));
}

}  // namespace weir::providers
