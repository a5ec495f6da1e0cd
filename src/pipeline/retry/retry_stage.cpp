#include "pipeline/retry/retry_stage.hpp"

namespace weir::pipeline {

awaitable<Ending> RetryStage::call(Exchange& exchange, ReplySink& reply) {
  const Target& target = exchange.plan.target;
  Attempt& attempt = exchange.attempts.emplace_back();
  attempt.provider = target.provider_name;
  attempt.model = target.model;
  attempt.span = attempt_span(exchange.trace, exchange.attempts.size());
  if (exchange.request.addressed != nullptr)
    exchange.patch = exchange.request.addressed->patch_for(target.upstream_model);
  attempt.started = Clock::now();
  Ending ending = co_await target.provider->send(Call{exchange, target}, attempt, reply);
  attempt.failure = ending.failure;
  attempt.phase = ending.phase;
  co_return ending;
}

}  // namespace weir::pipeline
