#include "providers/openai.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>
#include <weir/exchange/limits.hpp>
#include "providers/openai_wire.hpp"

namespace weir::providers {
namespace {

// What of the client's head goes on (ARCHITECTURE, section 4): never its credentials, cookies or hop-by-hop fields.
bool goes_upstream(std::string_view name) {
  switch (name.size()) {
    case 6:
      return equals_ignoring_case(name, "accept");
    case 11:
      return equals_ignoring_case(name, "openai-beta") || equals_ignoring_case(name, "traceparent");
    case 12:
      return equals_ignoring_case(name, "content-type");
    case 15:
      return equals_ignoring_case(name, "idempotency-key");
    default:
      return name.size() > 10 && equals_ignoring_case(name.substr(0, 10), "anthropic-");
  }
}

std::string_view without_v1(std::string_view target) {
  return target.starts_with("/v1/") || target == "/v1" ? target.substr(3) : target;
}

}  // namespace

OpenAiProvider::OpenAiProvider(net::Worker& worker, std::shared_ptr<net::UpstreamPool> pool,
                               const ProviderSettings& settings, targets::FirstByteTimes& first_byte_times,
                               net::Offload& offload)
    : worker_(worker),
      pool_(std::move(pool)),
      first_byte_times_(first_byte_times),
      offload_(offload),
      error_codes_(settings.error_codes) {
  const std::string_view url = settings.base_url;
  const std::size_t authority = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', authority), url.size());
  path_prefix_ = url.substr(path);
  while (path_prefix_.ends_with('/')) path_prefix_.pop_back();
  fixed_head_ = fmt::format(" HTTP/1.1\r\nHost: {}\r\nUser-Agent: weir/{}\r\nAccept-Encoding: identity\r\n",
                            url.substr(authority, path - authority), WEIR_VERSION);
  const auto field = [](const std::string& key) {
    return key.empty() ? std::string() : fmt::format("Authorization: Bearer {}\r\n", key);
  };
  authorizations_.push_back(field(settings.api_key));
  for (const std::string& key : settings.more_api_keys) authorizations_.push_back(field(key));
  for (const auto& [name, value] : settings.headers) fixed_head_ += fmt::format("{}: {}\r\n", name, value);
}

std::string OpenAiProvider::request_head(const Call& call, const Attempt& attempt) const {
  const Request& request = call.exchange.request;
  std::string head;
  head.reserve(path_prefix_.size() + request.target.size() + fixed_head_.size() + 400);
  head.append(request.method).push_back(' ');
  const std::string_view path = call.exchange.raw ? without_v1(request.target) : "/chat/completions";
  head.append(path_prefix_).append(path).append(fixed_head_);
  if (const auto to = call.exchange.plan.pass_key_to; !to.empty() && to == call.target.provider_name) {
    head.append("Authorization: Bearer ").append(call.exchange.own_key).append("\r\n");
  } else {
    head.append(authorizations_[attempt.key_index]);
  }
  const bool traced = attempt.span != 0;
  if (traced) {
    const auto parent = traceparent_of(call.exchange.trace, attempt.span);
    head.append("traceparent: ").append(parent.data(), parent.size()).append("\r\n");
  }
  for (const HeaderField& field : request.headers) {
    if (traced && equals_ignoring_case(field.name, "traceparent")) continue;  // ours stands in its place
    if (goes_upstream(field.name)) head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  const std::size_t size = call.exchange.patch.patched_size(request.body.size());
  if (size != 0 || (request.method != "GET" && request.method != "HEAD" && request.method != "DELETE")) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size).ptr;
    head.append("Content-Length: ").append(digits.data(), end).append("\r\n");
  }
  return head.append("\r\n");
}

awaitable<Ending> OpenAiProvider::send(const Call& call, Attempt& attempt, ReplySink& reply) {
  const TimeLimits& limits = call.target.time_limits;
  TimePoint total_at = attempt.started + limits.total;
  if (call.exchange.plan.deadline.count() > 0) {
    total_at = std::min(total_at, call.exchange.started + call.exchange.plan.deadline);
  }
  AttemptTimer timer(worker_.deadlines(), call.exchange.interrupt, total_at);
  bool stale = false;
  Ending ending = co_await exchange_once(call, attempt, reply, timer, false, stale);
  // SEMANTICS 31: the provider closed an idle connection just as it was taken; that is nobody's failure, and no
  // attempt.
  if (stale) ending = co_await exchange_once(call, attempt, reply, timer, true, stale);
  if (!ending.ok() && ending.message.empty()) {
    ending.message = explain(ending.failure, call.target.provider_name, limits);
  }
  co_return ending;
}

awaitable<Ending> OpenAiProvider::exchange_once(const Call& call, Attempt& attempt, ReplySink& reply,
                                                AttemptTimer& timer, bool fresh, bool& stale) {
  Exchange& exchange = call.exchange;
  net::UpstreamPool::Leased leased;
  if (!fresh) leased.connection = pool_->take_idle();
  if (leased.connection) {
    leased.reused = true;
  } else {
    timer.limit(Clock::now() + call.target.time_limits.connect, InterruptReason::timeout_connect);
    leased = co_await pool_->lease(exchange.interrupt, attempt, fresh);
  }
  if (!leased.connection || exchange.interrupt.fired()) {
    Ending ending;
    ending.failure = leased.failure;
    const InterruptReason reason = exchange.interrupt.reason();
    const bool waited_in_vain = leased.failure == Failure::gateway_busy && reason != InterruptReason::client_left;
    if (reason != InterruptReason::none && !waited_in_vain) ending.failure = failure_of(reason);
    ending.phase = leased.phase;
    if (!exchange.interrupt.fired()) {
      ending.message = fmt::format("provider {}: {}", call.target.provider_name, leased.message);
    }
    co_return ending;
  }
  attempt.reused_connection = leased.reused;
  net::Connection& link = **leased.connection;
  const Interrupt::Scope scope(exchange.interrupt, link);

  const bool streamed = exchange.request.stream && !exchange.raw;
  auto first_byte = call.target.time_limits.first_byte;
  if (first_byte.count() == 0) {
    first_byte = streamed ? first_byte_times_.limit(call.target.provider_name, call.target.model,
                                                    exchange.request.prompt_bytes, call.target.time_limits.total)
                          : call.target.time_limits.total;
  }
  TimePoint begun = Clock::now();
  timer.limit(begun + first_byte, InterruptReason::timeout_first_byte);

  const std::string head = request_head(call, attempt);
  std::array<net::asio::const_buffer, 2 * Patch::edits_max + 2> pieces;
  std::size_t count = 0;
  pieces[count++] = net::asio::buffer(head);
  exchange.patch.for_each_piece(exchange.request.body,
                                [&](std::string_view piece) { pieces[count++] = net::asio::buffer(piece); });
  attempt.may_have_been_billed = true;
  const bool sent = co_await link.write_until_answered(std::span(pieces.data(), count));
  TimePoint now = Clock::now();
  attempt.duration_of(Phase::send) = now - begun;
  begun = now;

  // Even after a failed write the provider may have answered: it refuses a large body before it has read it.
  const auto lent = heads_.lend();
  net::ReplyHead& reply_head = *lent;
  reply_head.reset();
  net::HeadLimits head_limits;
  head_limits.head_bytes_max = limits::reply_head_bytes_max;
  bool refused = false;
  link.take_landed();
  for (;;) {
    if (!link.input().empty()) {
      const net::ScanState state = reply_head.scan(link.input().view(), head_limits);
      refused = state == net::ScanState::refused;
      if (refused || (state == net::ScanState::complete && reply_head.status() >= 200)) break;
      if (state == net::ScanState::complete) {  // 100 Continue, 103 Early Hints: not the answer yet
        link.input().consume(reply_head.head_bytes());
        reply_head.reset();
        continue;
      }
    }
    if (link.ended()) break;
    co_await link.more(limits::stream_read_bytes);
  }
  now = Clock::now();
  attempt.duration_of(Phase::await_headers) = now - begun;
  if (refused || link.ended()) {
    const bool silent = link.input().empty();
    if (!refused && silent && !fresh && leased.reused && !exchange.interrupt.fired()) {
      stale = true;
      attempt.may_have_been_billed = false;
      co_return Ending{};
    }
    // An answer that came whole before the connection ended is still an answer.
    if (refused || reply_head.status() < 200 || reply_head.head_bytes() == 0 || exchange.interrupt.fired()) {
      Ending ending;
      ending.phase = sent ? Phase::await_headers : Phase::send;
      ending.failure =
          exchange.interrupt.fired() ? failure_of(exchange.interrupt.reason()) : Failure::upstream_protocol;
      if (refused)
        ending.message =
            fmt::format("provider {} answered in no HTTP: {}", call.target.provider_name, reply_head.reason());
      co_return ending;
    }
  }
  attempt.provider_status = static_cast<std::uint16_t>(reply_head.status());
  if (const auto id = reply_head.find("x-request-id")) {
    attempt.provider_request_id = id->substr(0, limits::request_id_bytes_max);
  } else if (const auto other = reply_head.find("request-id")) {
    attempt.provider_request_id = other->substr(0, limits::request_id_bytes_max);
  }
  Wire wire{call,       attempt,
            timer,      std::move(leased.connection),
            reply_head, net::BodyReader(reply_head, exchange.request.method == "HEAD"),
            sent};
  Ending ending = co_await answer(wire, reply);
  attempt.duration_of(Phase::body) = Clock::now() - now;
  timer.disarm();
  co_return ending;
}

}  // namespace weir::providers
