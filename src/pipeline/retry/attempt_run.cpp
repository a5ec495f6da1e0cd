#include "pipeline/retry/attempt_run.hpp"

#include <chrono>

namespace weir::pipeline {
namespace {

constexpr std::int64_t kGuessedOutput = 500;  // tokens: what a resend is thought to generate

}  // namespace

std::int64_t second_of(TimePoint at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

bool affordable(const Target& target, const Exchange& exchange, NanoDollars most) {
  const Price* price = target.own_price != nullptr  ? target.own_price
                       : target.id_price != nullptr ? target.id_price
                                                    : target.name_price;
  if (price == nullptr) return true;
  Usage usage;
  usage.uncached = tokens_from_bytes(exchange.request.prompt_bytes);
  usage.output = kGuessedOutput;
  return cost_of(*price, usage).value <= most.value;
}

bool begin_attempt(Exchange& exchange, const Candidates::Choice& choice, const CallDeadline& deadline,
                   std::size_t number, TimePoint now) {
  const Target& target = *choice.target;
  Target& sent_to = exchange.plan.target;
  if (&target != &sent_to) sent_to = target;
  Attempt& attempt = exchange.attempts.emplace_back();
  attempt.provider = target.provider_name;
  attempt.model = target.model;
  attempt.span = attempt_span(exchange.trace, number);
  attempt.key_index = choice.key;
  attempt.target = &target;
  if (exchange.request.addressed != nullptr)
    exchange.patch = exchange.request.addressed->patch_for(target.upstream_model);
  attempt.started = now;
  deadline.apply(sent_to.time_limits, attempt.started);
  bool trial = false;
  if (target.place != nullptr) {
    target.place->admit(choice.key, attempt.started, trial);
    if (number == 1) target.place->provider().budget.note_call(second_of(attempt.started));
  }
  return trial;
}

void end_attempt(Exchange& exchange, const Candidates::Choice& choice, const Ending& ending, bool trial) {
  Attempt& attempt = exchange.attempts.back();
  attempt.failure = ending.failure;
  attempt.phase = ending.phase;
  targets::Place* const place = choice.target->place;
  if (place == nullptr) return;
  const TimePoint now = attempt.ended != TimePoint{} ? attempt.ended : Clock::now();
  place->report(choice.key, ending.failure, ending.back_in, trial, now);
  if (!choice.measured) return;
  // A place that fails fast is not a fast place; one that was outrun is known to take at least so long.
  const bool slow = ending.failure == Failure::gateway_outrun ||
                    (row_of(ending.failure).provider_fault && now - attempt.started > std::chrono::seconds(1));
  if (!ending.ok() && !slow) return;
  const bool streamed = exchange.request.stream && ending.ok();
  place->took(
      streamed ? attempt.duration_of(Phase::send) + attempt.duration_of(Phase::await_headers) : now - attempt.started,
      now);
}

}  // namespace weir::pipeline
