#include "api/front.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include <weir/base/log.hpp>
#include <weir/exchange/limits.hpp>
#include "api/asked.hpp"
#include "api/bodies.hpp"
#include "api/path.hpp"
#include "catalogue/nearest.hpp"
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
    case Path::Kind::chat:
      return chat(call);
    case Path::Kind::models:
      return list_models(call, {});
    case Path::Kind::model:
      return list_models(call, path.model);
    case Path::Kind::pass_through:
      return pass_through(call);
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

awaitable<void> Front::chat(net::ServerCall& call) {
  Exchange exchange;
  begin(exchange);
  const auto scratch = scratch_.lend();
  ClientReply reply(call, exchange, *scratch);
  if (!co_await take_body(call, exchange, reply)) co_return;

  Request& request = exchange.request;
  std::expected<openai_chat::ChatFacts, openai_chat::Refusal> facts;
  if (request.body.size() <= limits::dom_bytes_max) {
    facts = reader_.read(request.body, Buffer::kSlack);
  } else {
    co_await offload_.run(worker_.executor(), [&] { facts = openai_chat::read_large(request.body); });
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
  co_await send_into_house(call, exchange, reply);
}

awaitable<void> Front::pass_through(net::ServerCall& call) {
  Exchange exchange;
  begin(exchange);
  exchange.raw = true;
  const auto scratch = scratch_.lend();
  ClientReply reply(call, exchange, *scratch);
  if (!co_await take_body(call, exchange, reply)) co_return;

  Request& request = exchange.request;
  std::expected<std::optional<openai_chat::FoundModel>, openai_chat::Refusal> model;
  const auto find = [&] { model = openai_chat::find_model(request.body); };
  if (request.body.size() <= limits::dom_bytes_max) {
    if (request.body.starts_with('{')) find();
  } else if (request.body.starts_with('{')) {
    co_await offload_.run(worker_.executor(), find);
  }
  if (!model) co_return co_await refuse(exchange, reply, ending_of(std::move(model.error())));
  const RawBody body(std::move(*model));
  body.describe(request);
  co_await send_into_house(call, exchange, reply);
}

awaitable<void> Front::send_into_house(net::ServerCall& call, Exchange& exchange, ClientReply& reply) {
  if (exchange.request.model.size() > limits::model_name_bytes_max) {
    Ending refused;
    refused.failure = Failure::client_malformed;
    refused.param = "model";
    refused.message = fmt::format("model: a name has at most {} bytes", limits::model_name_bytes_max);
    exchange.request.model = {};
    co_return co_await refuse(exchange, reply, std::move(refused));
  }
  const auto* house = static_cast<const House*>(exchange.snapshot.get());
  if (auto refused = house->admission.allow(exchange)) {
    co_return co_await refuse(exchange, reply, std::move(*refused));
  }
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
  exchange.status = ending.ok() || reply.committed() ? reply.status() : ClientReply::status_for(ending);
  // What is booked before the flush that carries it left, as far as the books go, in that moment.
  if (ending.ok() && exchange.first_byte_sent == TimePoint{}) exchange.first_byte_sent = Clock::now();
  book(exchange, ending);
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
  book(exchange, ending);
  co_await reply.finish_with(ending);
}

void Front::book(Exchange& exchange, const Ending& ending) {
  static_cast<const House*>(exchange.snapshot.get())->meter.book(exchange, ending, Clock::now());
  observer_.call_ended(exchange);
}

/// What the answers that are no calls begin with.
struct Front::Short {
  Short(Front& front, net::ServerCall& call) : scratch(front.scratch_.lend()), reply(call, exchange, *scratch) {
    front.name(exchange);
    exchange.request.headers = call.head().fields();
    if (call.has_body()) call.close_after();
  }
  Exchange exchange;
  Spare<ClientReply::Scratch>::Lent scratch;
  ClientReply reply;
};

awaitable<void> Front::list_models(net::ServerCall& call, std::string_view id) {
  Short answer(*this, call);
  const std::shared_ptr<const House> house = house_;
  if (auto refused = house->admission.admit(answer.exchange)) co_return co_await turn_away(answer.reply, *refused);
  std::vector<openai_chat::ListedModel> shown;
  for (const openai_chat::ListedModel& model : house->models) {
    if (house->admission.shows(answer.exchange.caller, model.id)) shown.push_back(model);
  }
  if (id.empty()) {
    const std::string body = openai_chat::encode_model_list(shown);
    co_await answer.reply.finish_with_body(200, "application/json", body);
    co_return;
  }
  const std::string wanted = without_escapes(id);
  for (const openai_chat::ListedModel& model : shown) {
    if (model.id != wanted) continue;
    const std::string body = openai_chat::encode_model(model);
    co_await answer.reply.finish_with_body(200, "application/json", body);
    co_return;
  }
  Ending ending;
  ending.failure = Failure::client_not_found;
  ending.param = "model";
  ending.code = "model_not_found";
  std::vector<std::string_view> known;
  for (const openai_chat::ListedModel& model : shown) known.push_back(model.id);
  const auto nearest = catalogue::nearest(wanted, known);
  ending.message = fmt::format("unknown model \"{}\"{}{}; GET /v1/models lists those that are configured", wanted,
                               nearest ? "; nearest: " : "", nearest.value_or(""));
  co_await turn_away(answer.reply, ending);
}

awaitable<void> Front::say_healthy(net::ServerCall& call) {
  Short answer(*this, call);
  co_await answer.reply.finish_with_body(200, "application/json", R"({"status":"ok"})");
}

awaitable<void> Front::refuse_path(net::ServerCall& call) {
  Short answer(*this, call);
  Ending ending;
  ending.failure = Failure::client_not_found;
  ending.code = "unknown_path";
  ending.message = fmt::format(
      "weir does not know {} {}: clients use /v1/..., for example POST /v1/chat/completions; set the SDK's base_url to "
      "end in /v1",
      call.head().method(), call.head().target().substr(0, call.head().target().find('?')).substr(0, 200));
  co_await turn_away(answer.reply, ending);
}

awaitable<void> Front::turn_away(ClientReply& reply, const Ending& ending) {
  observer_.refused(ending.failure, ClientReply::status_for(ending));
  co_await reply.finish_with(ending);
}

}  // namespace weir::api
