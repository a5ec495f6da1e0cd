#include "providers/http_provider.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>
#include <weir/exchange/limits.hpp>
#include "providers/abilities.hpp"
#include "providers/http_wire.hpp"

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

// Fields of a dialect that is not the provider's mean nothing to it.
bool goes_translated(std::string_view name) {
  return equals_ignoring_case(name, "traceparent") || equals_ignoring_case(name, "idempotency-key");
}

}  // namespace

HttpProvider::HttpProvider(net::Worker& worker, std::shared_ptr<net::UpstreamPool> pool,
                           const ProviderSettings& settings, targets::FirstByteTimes& first_byte_times,
                           net::Offload& offload, std::shared_ptr<const ServiceAccount> account, ImageFetcher* images)
    : worker_(worker),
      pool_(std::move(pool)),
      first_byte_times_(first_byte_times),
      offload_(offload),
      images_(images),
      rules_(make_rules(settings, worker, offload, std::move(account))) {
  fixed_head_ = fmt::format(" HTTP/1.1\r\nHost: {}\r\nUser-Agent: weir/{}\r\nAccept-Encoding: identity\r\n",
                            authority_of(settings.base_url), WEIR_VERSION);
  for (const auto& [name, value] : settings.headers) fixed_head_ += fmt::format("{}: {}\r\n", name, value);
}

std::string HttpProvider::request_head(const Outgoing& outgoing) const {
  const Exchange& exchange = outgoing.call.exchange;
  const Request& request = exchange.request;
  const vocabulary::EncodedRequest* const encoded = outgoing.encoded;
  std::string head;
  head.reserve(request.target.size() + fixed_head_.size() + 600);
  head.append(request.method).push_back(' ');
  rules_->append_address(outgoing, head);
  head.append(fixed_head_);
  rules_->append_fields(outgoing, head);
  const bool traced = outgoing.attempt.span != 0;
  if (traced) {
    const auto parent = traceparent_of(exchange.trace, outgoing.attempt.span);
    head.append("traceparent: ").append(parent.data(), parent.size()).append("\r\n");
  }
  for (const HeaderField& field : request.headers) {
    if (traced && equals_ignoring_case(field.name, "traceparent")) continue;  // ours stands in its place
    const bool goes = encoded != nullptr ? goes_translated(field.name) : goes_upstream(field.name);
    if (goes) head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (encoded != nullptr) {
    head.append("Content-Type: application/json\r\nAccept: ")
        .append(request.stream ? rules_->accepted_stream() : "application/json")
        .append("\r\n");
    for (const auto& [name, value] : encoded->headers) head.append(name).append(": ").append(value).append("\r\n");
  }
  const std::size_t size = encoded != nullptr ? encoded->body.size() : exchange.patch.patched_size(request.body.size());
  if (size != 0 || (request.method != "GET" && request.method != "HEAD" && request.method != "DELETE")) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size).ptr;
    head.append("Content-Length: ").append(digits.data(), end).append("\r\n");
  }
  return head.append("\r\n");
}

std::optional<Ending> HttpProvider::refuse_raw(const Call& call) const {
  const Dialect dialect = call.exchange.request.dialect;
  if (rules_->takes_raw() && (dialect == Dialect::openai_chat || rules_->speaks(dialect))) return std::nullopt;
  Ending ending;
  ending.failure = Failure::client_not_found;
  ending.phase = Phase::resolve;
  ending.code = "not_supported";
  ending.message =
      fmt::format("provider {} does not have this endpoint: name a model of one that has, or set default: to it",
                  call.target.provider_name);
  return ending;
}

awaitable<std::optional<Ending>> HttpProvider::make_ready(const Call& call, std::optional<Translation>& translation) {
  Exchange& exchange = call.exchange;
  if (!exchange.raw && !rules_->speaks(exchange.request.dialect)) {
    translation.emplace(exchange, call.target, rules_->codec());
    const vocabulary::TargetTraits traits = rules_->traits(call.target);
    const bool fetches = images_ != nullptr && exchange.plan.image_hosts != nullptr && !traits.image_urls;
    std::optional<Ending> refused;
    const auto translate = [&] {
      refused = translation->decode(exchange);
      if (!refused && !fetches) refused = translation->encode(exchange, call.target, traits);
    };
    if (exchange.request.body.size() <= limits::read_at_once_bytes_max) {
      translate();
    } else {
      co_await offload_.run(worker_.executor(), translate);
    }
    if (!refused && fetches) {
      refused = co_await images_->fill_in(translation->asked(), *exchange.plan.image_hosts, exchange.interrupt);
      const auto encode = [&] { refused = translation->encode(exchange, call.target, traits); };
      if (!refused) co_await offload_.run(worker_.executor(), encode);
    }
    if (refused) co_return refused;
  }
  if (!rules_->prepared()) co_return co_await rules_->prepare(exchange.interrupt);
  co_return std::nullopt;
}

awaitable<Ending> HttpProvider::send(const Call& call, Attempt& attempt, ReplySink& reply) {
  const TimeLimits& limits = call.target.time_limits;
  TimePoint total_at = attempt.started + limits.total;
  if (call.exchange.plan.deadline.count() > 0) {
    total_at = std::min(total_at, call.exchange.started + call.exchange.plan.deadline);
  }
  AttemptTimer timer(worker_.deadlines(), call.exchange.interrupt, total_at);
  std::optional<Translation> translation;
  if (!call.exchange.dropped_to.empty()) forget_dropped(call.exchange);
  if (call.exchange.raw) {
    if (auto refused = refuse_raw(call)) co_return std::move(*refused);
  }
  const bool translates = !call.exchange.raw && !rules_->speaks(call.exchange.request.dialect);
  if (!call.exchange.raw && !translates && call.target.abilities.certain) {
    if (auto refused = lacking(call.exchange.request, call.target)) co_return std::move(*refused);
  }
  TimePoint ready_at = attempt.started;  // one look at the clock less for most calls
  if (translates || !rules_->prepared()) {
    timer.only_total();
    if (auto refused = co_await make_ready(call, translation)) co_return std::move(*refused);
    ready_at = Clock::now();
  }
  const Outgoing outgoing{call, attempt, translation ? &translation->request() : nullptr, ready_at};
  const Translation* const translated = translation ? &*translation : nullptr;
  bool stale = false;
  Ending ending = co_await exchange_once(outgoing, attempt, reply, translated, timer, false, stale);
  // SEMANTICS 31: the provider closed an idle connection just as it was taken; that is nobody's failure, and no
  // attempt.
  if (stale) ending = co_await exchange_once(outgoing, attempt, reply, translated, timer, true, stale);
  if (!ending.ok() && ending.message.empty()) {
    ending.message = explain(ending.failure, call.target.provider_name, limits);
  }
  co_return ending;
}

awaitable<Ending> HttpProvider::exchange_once(const Outgoing& outgoing, Attempt& attempt, ReplySink& reply,
                                              const Translation* translation, AttemptTimer& timer, bool fresh,
                                              bool& stale) {
  const Call& call = outgoing.call;
  Exchange& exchange = call.exchange;
  net::UpstreamPool::Leased leased;
  if (!fresh) leased.connection = pool_->take_idle();
  const bool at_once = leased.connection != nullptr;
  if (at_once) {
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
  TimePoint begun = at_once ? outgoing.ready_at : Clock::now();
  timer.limit(begun + first_byte, InterruptReason::timeout_first_byte);

  const std::string head = request_head(outgoing);
  std::array<net::asio::const_buffer, 2 * Patch::edits_max + 2> pieces;
  std::size_t count = 0;
  pieces[count++] = net::asio::buffer(head);
  if (translation != nullptr) {
    pieces[count++] = net::asio::buffer(translation->request().body);
  } else {
    exchange.patch.for_each_piece(exchange.request.body,
                                  [&](std::string_view piece) { pieces[count++] = net::asio::buffer(piece); });
  }
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
  for (const std::string_view name : {"x-request-id", "request-id", "x-amzn-requestid"}) {
    if (const auto id = reply_head.find(name)) {
      attempt.provider_request_id = id->substr(0, limits::request_id_bytes_max);
      break;
    }
  }
  Wire wire{call,       attempt,
            timer,      std::move(leased.connection),
            reply_head, net::BodyReader(reply_head, exchange.request.method == "HEAD"),
            sent,       translation};
  Ending ending = co_await answer(wire, reply);
  attempt.ended = Clock::now();
  attempt.duration_of(Phase::body) = attempt.ended - now;
  timer.disarm();
  co_return ending;
}

}  // namespace weir::providers
