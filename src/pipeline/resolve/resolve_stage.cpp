#include "pipeline/resolve/resolve_stage.hpp"

#include <utility>

#include <fmt/format.h>

namespace weir::pipeline {
namespace {

awaitable<Ending> refuse(Ending ending) {
  co_return ending;
}

Ending own_key_missing(std::string_view route) {
  Ending ending;
  ending.failure = Failure::client_unauthorized;
  ending.code = "missing_api_key";
  ending.message = fmt::format(
      "route {} calls the provider with your own key: send it as Authorization: Bearer … (and a "
      "weir key, where there are any, as x-api-key)",
      route);
  return ending;
}

}  // namespace

awaitable<Ending> ResolveStage::call(Exchange& exchange, ReplySink& reply) {
  const Request& request = exchange.request;
  auto refused = exchange.raw && request.model.empty() && request.route.empty()
                     ? router_.resolve_default(exchange.plan)
                     : router_.resolve(request.route, request.model, exchange.plan);
  if (!exchange.asked_task.empty()) {
    exchange.task = exchange.asked_task;
  } else if (!exchange.plan.task.empty()) {
    exchange.task = exchange.plan.task;
  }
  if (refused) return refuse(std::move(*refused));
  if (!exchange.plan.pass_key_to.empty() && exchange.own_key.empty())
    return refuse(own_key_missing(exchange.plan.route));
  return next_.call(exchange, reply);
}

}  // namespace weir::pipeline
