// What Front answers by itself: the list of models, its health, paths that are nobody's.
#include <vector>

#include <fmt/format.h>

#include "api/bodies.hpp"
#include "api/front.hpp"
#include "catalogue/nearest.hpp"
#include "dialects/anthropic/model_list.hpp"

namespace weir::api {

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
  // As the SDKs of the two families tell themselves apart: every call of Anthropic's names its version.
  const bool anthropics = call.head().find("anthropic-version").has_value();
  if (anthropics) answer.exchange.request.dialect = Dialect::anthropic;
  const std::shared_ptr<const House> house = house_;
  if (auto refused = house->admission.admit(answer.exchange)) co_return co_await turn_away(answer.reply, *refused);
  std::vector<openai_chat::ListedModel> shown;
  for (const openai_chat::ListedModel& model : house->models) {
    if (house->admission.shows(answer.exchange.caller, model.id)) shown.push_back(model);
  }
  if (id.empty()) {
    const std::string body = anthropics ? anthropic::encode_model_list(shown) : openai_chat::encode_model_list(shown);
    co_await answer.reply.finish_with_body(200, "application/json", body);
    co_return;
  }
  const std::string wanted = without_escapes(id);
  for (const openai_chat::ListedModel& model : shown) {
    if (model.id != wanted) continue;
    const std::string body = anthropics ? anthropic::encode_model(model) : openai_chat::encode_model(model);
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

}  // namespace weir::api
