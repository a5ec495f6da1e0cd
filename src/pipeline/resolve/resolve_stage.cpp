#include "pipeline/resolve/resolve_stage.hpp"

#include <utility>

namespace weir::pipeline {
namespace {

awaitable<Ending> refuse(Ending ending) {
  co_return ending;
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
  return next_.call(exchange, reply);
}

}  // namespace weir::pipeline
