#include "api/front.hpp"

#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include <weir/base/log.hpp>
#include <weir/exchange/limits.hpp>
#include "api/asked.hpp"
#include "api/bodies.hpp"
#include "api/path.hpp"
#include "dialects/codecs/codecs.hpp"
#include "dialects/openai_chat/error_body.hpp"

namespace weir::api {
namespace {

/// Breaks a call off when its client leaves.
class ClientLeft final : public net::Connection::Watcher {
 public:
  ClientLeft(const net::ServerCall& call, Interrupt& interrupt) : call_(call), interrupt_(interrupt) {}
  void peer_left() override {
    interrupt_.fire(call_.aborted() ? InterruptReason::shutdown : InterruptReason::client_left);
  }

 private:
  const net::ServerCall& call_;
  Interrupt& interrupt_;
};

Ending ending_of(openai_chat::Refusal refusal) {
  Ending ending;
  ending.failure = refusal.failure;
  ending.message = std::move(refusal.message);
  ending.param = std::move(refusal.param);
  ending.code = std::move(refusal.code);
  return ending;
}

Ending no_cost_in_streams() {
  Ending ending;
  ending.failure = Failure::client_malformed;
  ending.param = "x-weir-include";
  ending.code = "not_supported";
  ending.message =
      "x-weir-include: cost is not supported in streams of this dialect; leave it out (answers that are not streamed "
      "have x-weir-cost-usd)";
  return ending;
}

/// Counting is free; and where the target has no such call, weir says what it would guess, and that it guesses.
void settle_count(Exchange& exchange, Ending& ending, ClientReply& reply) {
  for (Attempt& attempt : exchange.attempts) attempt.may_have_been_billed = false;
  if (ending.ok() || ending.code != "not_supported" || reply.committed()) return;
  ending = {};
  exchange.attempts.clear();  // nobody was asked
  constexpr std::array estimated{HeaderField{"x-weir-estimated", "true"}};
  ReplyHead head;
  head.content_type = "application/json";
  head.passed_on = estimated;
  reply.head(head);
  Buffer body;
  body.append(fmt::format(R"({{"input_tokens":{}}})", tokens_from_bytes(exchange.request.body.size())));
  reply.whole(std::move(body));
}

/// Why a body could not be had, for the client.
Ending ending_of(net::BodyState state, const net::LimitSettings& limits) {
  Ending ending;
  ending.failure = Failure::client_malformed;
  switch (state) {
    case net::BodyState::too_large:
      ending.failure = Failure::client_too_large;
      ending.message = fmt::format("the request's body is larger than limits.body ({} bytes): send less, or raise it",
                                   limits.body_bytes);
      break;
    case net::BodyState::no_room:
      ending.failure = Failure::gateway_busy;
      ending.code = "gateway_busy";
      ending.message = "weir holds as many bytes of requests as limits.bodies allows; try again";
      break;
    case net::BodyState::too_slow:
      ending.status = 408;
      ending.message =
          fmt::format("the request's body did not arrive within limits.body_time ({} ms)", limits.body_time.count());
      break;
    case net::BodyState::malformed:
      ending.message = "the request's chunked body is malformed: check the client's HTTP library";
      break;
    case net::BodyState::left:
    case net::BodyState::complete:
      ending.failure = Failure::client_left;
      break;
  }
  return ending;
}

}  // namespace

awaitable<void> Front::handle(net::ServerCall& call) {
  const Path path = read_path(call.head().method(), call.head().target());
  switch (path.kind) {
    case Path::Kind::call:
    case Path::Kind::count_tokens:
      return answer(call, path.dialect, path.kind);
    case Path::Kind::models:
      return list_models(call, {});
    case Path::Kind::model:
      return list_models(call, path.model);
    case Path::Kind::embeddings:
    case Path::Kind::pass_through:
      return pass_through(call, path.kind);
    case Path::Kind::health:
      return say_healthy(call);
    case Path::Kind::unknown:
      break;
  }
  return refuse_path(call);
}

std::string Front::refusal(std::uint16_t status, std::string_view reason) {
  const bool large = status == 413 || status == 414 || status == 431;
  const Failure failure = large ? Failure::client_too_large : Failure::client_malformed;
  observer_.refused(failure, status);
  const std::string body = openai_chat::encode_error(reason, row_of(failure).type, "", "");
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nx-request-id: {}\r\nx-weir-failure: {}/none\r\n"
      "x-should-retry: false\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
      status, reason_phrase(status), CallId::make(unix_milliseconds(), worker_.random()).text(), name_of(failure),
      body.size(), body);
}

void Front::name(Exchange& exchange) {
  exchange.started_unix_ms = unix_milliseconds();
  exchange.id = CallId::make(exchange.started_unix_ms, worker_.random());
  exchange.request_id = exchange.id.text();
}

void Front::begin(Exchange& exchange) {
  exchange.started = Clock::now();
  name(exchange);
  exchange.snapshot = house_;
}

void Front::read_head(const net::ServerCall& call, Exchange& exchange) {
  Request& request = exchange.request;
  request.method = call.head().method();
  request.target = call.head().target();
  request.headers = call.head().fields();
  const Asked asked = read_asked(request.headers);
  if (!asked.request_id.empty()) exchange.request_id = asked.request_id;
  exchange.asked_task = asked.task;
  request.route = asked.route;
  request.wants_cost = asked.include_cost;
  request.used_powers = asked.powers;
  request.client_retry = asked.client_retry;
  exchange.tags = asked.tags;
  exchange.trace = observer_.trace_of(exchange.id, asked.traceparent);
}

awaitable<bool> Front::take_body(net::ServerCall& call, Exchange& exchange, ClientReply& reply) {
  // Before the body: a stranger shall not make weir hold one.
  exchange.request.headers = call.head().fields();
  const Admission& admission = static_cast<const House*>(exchange.snapshot.get())->admission;
  if (auto refused = admission.admit(exchange)) {
    if (call.has_body()) call.close_after();
    co_await turn_away(reply, *refused);
    co_return false;
  }
  observer_.call_started();
  // Where nobody may wait, a call without a place is refused before its body is read.
  if (places_.full() && call.limits().queue.count() == 0 && !call.body_at_hand()) {
    read_head(call, exchange);
    call.close_after();
    co_await refuse(exchange, reply, busy());
    co_return false;
  }
  const char* const head_at = call.head().target().data();
  const net::BodyState state = co_await call.read_body();
  read_head(call, exchange);  // only now: reading may have moved the head
  if (call.head().target().data() != head_at && !exchange.own_key.empty()) admission.admit(exchange);
  if (state != net::BodyState::complete) {
    call.close_after();
    co_await refuse(exchange, reply, ending_of(state, call.limits()));
    co_return false;
  }
  exchange.request.body = call.body();
  exchange.request.prompt_bytes = exchange.request.body.size();
  if (!exchange.asked_task.empty()) {
    if (auto refusal = check_task(exchange.asked_task, "x-weir-task")) {
      exchange.asked_task = {};
      co_await refuse(exchange, reply, ending_of(std::move(*refusal)));
      co_return false;
    }
  }
  if (!exchange.tags.empty()) {
    if (auto refusal = check_tags(exchange.tags)) {
      exchange.tags = {};
      co_await refuse(exchange, reply, ending_of(std::move(*refusal)));
      co_return false;
    }
  }
  co_return true;
}

awaitable<void> Front::answer(net::ServerCall& call, Dialect dialect, Path::Kind kind) {
  Exchange exchange;
  begin(exchange);
  Request& request = exchange.request;
  request.dialect = dialect;
  const auto scratch = scratch_.lend();
  ClientReply reply(call, exchange, *scratch);
  if (!co_await take_body(call, exchange, reply)) co_return;

  const openai_chat::BodyShape& shape = dialects::shape_of(dialect);
  std::expected<openai_chat::ChatFacts, openai_chat::Refusal> facts;
  if (request.body.size() <= limits::read_at_once_bytes_max) {
    facts = openai_chat::read_request(request.body, shape);
  } else {
    co_await offload_.run(worker_.executor(), [&] { facts = openai_chat::read_request(request.body, shape); });
  }
  if (!facts) co_return co_await refuse(exchange, reply, ending_of(std::move(facts.error())));
  const ChatBody body(std::move(*facts));
  body.describe(request);
  if (exchange.asked_task.empty() && body.facts().task_type) {
    const std::string_view task = body.facts().task_type->view();
    if (auto refusal = check_task(task, "metadata.task_type")) {
      co_return co_await refuse(exchange, reply, ending_of(std::move(*refusal)));
    }
    exchange.asked_task = task;
  }
  if (const auto& user = body.facts().user_id ? body.facts().user_id : body.facts().user) exchange.user = user->view();
  exchange.reask = prompts_.asks_again(exchange, exchange.started);
  if (request.wants_cost && request.stream && dialect != Dialect::openai_chat) {
    co_return co_await refuse(exchange, reply, no_cost_in_streams());
  }
  co_await send_into_house(call, exchange, reply, kind);
}

awaitable<void> Front::pass_through(net::ServerCall& call, Path::Kind kind) {
  Exchange exchange;
  begin(exchange);
  exchange.raw = true;
  const auto scratch = scratch_.lend();
  ClientReply reply(call, exchange, *scratch);
  if (!co_await take_body(call, exchange, reply)) co_return;

  Request& request = exchange.request;
  std::expected<std::optional<openai_chat::FoundModel>, openai_chat::Refusal> model;
  const auto find = [&] { model = openai_chat::find_model(request.body); };
  if (request.body.size() <= limits::read_at_once_bytes_max) {
    if (request.body.starts_with('{')) find();
  } else if (request.body.starts_with('{')) {
    co_await offload_.run(worker_.executor(), find);
  }
  if (!model) co_return co_await refuse(exchange, reply, ending_of(std::move(model.error())));
  const RawBody body(std::move(*model));
  body.describe(request);
  UsageWatch usage;
  if (kind == Path::Kind::embeddings) reply.watch(usage);
  co_await send_into_house(call, exchange, reply, kind);
}

awaitable<void> Front::send_into_house(net::ServerCall& call, Exchange& exchange, ClientReply& reply, Path::Kind kind) {
  if (exchange.request.model.size() > limits::model_name_bytes_max) {
    Ending refused;
    refused.failure = Failure::client_malformed;
    refused.param = "model";
    refused.message = fmt::format("model: a name has at most {} bytes", limits::model_name_bytes_max);
    exchange.request.model = {};
    co_return co_await refuse(exchange, reply, std::move(refused));
  }
  const auto* house = static_cast<const House*>(exchange.snapshot.get());
  // Of these weir knows the model: a key needs no power to pass things through for them.
  if (kind != Path::Kind::pass_through && !exchange.request.model.empty()) exchange.raw = false;
  if (auto refused = house->admission.allow(exchange)) {
    co_return co_await refuse(exchange, reply, std::move(*refused));
  }
  exchange.raw = kind != Path::Kind::call;
  ClientLeft left(call, exchange.interrupt);
  call.watch(left);
  Place place(places_);
  const std::chrono::milliseconds longest = call.limits().queue;
  if (!place.try_take() && (longest.count() == 0 || !co_await place.wait(worker_, exchange.interrupt, longest))) {
    call.stop_watching();
    Ending refused;
    refused.failure = Failure::client_left;
    if (exchange.interrupt.reason() != InterruptReason::client_left) refused = busy();
    co_return co_await refuse(exchange, reply, std::move(refused));
  }
  Ending ending;
  try {
    ending = co_await house->service.call(exchange, reply);
  } catch (const std::exception& error) {
    ending.failure = Failure::gateway_bug;
    ending.content_sent = reply.committed();
    ending.message = "weir failed to handle this call; please report it with its x-request-id";
    log::error("call {} ended by an exception: {}", exchange.id.text(), error.what());
  }
  call.stop_watching();
  if (kind == Path::Kind::count_tokens) settle_count(exchange, ending, reply);
  if (kind == Path::Kind::embeddings && ending.ok()) reply.tell_usage();
  exchange.status = ending.ok() || reply.committed() ? reply.status() : ClientReply::status_for(ending);
  // What is booked before the flush that carries it left, as far as the books go, in that moment.
  const TimePoint now = Clock::now();
  if (ending.ok() && exchange.first_byte_sent == TimePoint{}) exchange.first_byte_sent = now;
  if (ending.ok()) prompts_.note(exchange, now);
  book(exchange, ending, now);
  place.leave();  // before its last bytes: whoever has the answer may ask again at once
  if (ending.ok()) {
    co_await reply.finish();
  } else {
    co_await reply.finish_with(ending);
  }
}

Ending Front::busy() const {
  Ending ending;
  ending.failure = Failure::gateway_busy;
  ending.code = "gateway_busy";
  ending.message =
      fmt::format("weir has as many calls in flight as limits.in_flight allows ({}); try again", places_.most());
  return ending;
}

awaitable<void> Front::refuse(Exchange& exchange, ClientReply& reply, Ending ending) {
  exchange.status = ClientReply::status_for(ending);
  book(exchange, ending, Clock::now());
  co_await reply.finish_with(ending);
}

void Front::book(Exchange& exchange, const Ending& ending, TimePoint now) {
  static_cast<const House*>(exchange.snapshot.get())->meter.book(exchange, ending, now);
  observer_.call_ended(exchange);
}

awaitable<void> Front::turn_away(ClientReply& reply, const Ending& ending) {
  observer_.refused(ending.failure, ClientReply::status_for(ending));
  co_await reply.finish_with(ending);
}

}  // namespace weir::api
