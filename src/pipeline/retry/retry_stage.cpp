#include "pipeline/retry/retry_stage.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "pipeline/retry/attempt_run.hpp"
#include "pipeline/retry/call_deadline.hpp"
#include "pipeline/retry/keep_alive.hpp"
#include "pipeline/retry/race.hpp"
#include "targets/place.hpp"

namespace weir::pipeline {
namespace {

class WaitBreaker final : public Interruptible {
 public:
  explicit WaitBreaker(net::Timer& timer) : timer_(timer) {}
  void interrupt() override { timer_.cancel(); }

 private:
  net::Timer& timer_;
};

Ending no_place(bool any_allowed) {
  Ending ending;
  if (any_allowed) {
    ending.failure = Failure::gateway_busy;
    ending.code = "no_free_place";
    ending.message = "every place of this model has as many calls as its max_in_flight allows; try again";
  } else {
    ending.failure = Failure::client_unauthorized;
    ending.status = 403;
    ending.code = "zone_not_allowed";
    ending.message = "no place of this model is in a zone that this route or key may reach (zones:)";
  }
  ending.phase = Phase::resolve;
  return ending;
}

}  // namespace

bool RetryStage::in_budget(const Target& target) const {
  return target.place == nullptr ||
         target.place->provider().budget.remaining(second_of(Clock::now()), settings_.budget_basis_points) > 0;
}

bool RetryStage::spend(const Target& target) const {
  return target.place == nullptr ||
         target.place->provider().budget.try_spend(second_of(Clock::now()), settings_.budget_basis_points);
}

awaitable<bool> RetryStage::wait(Interrupt& interrupt, Duration time) {
  if (time.count() > 0 && !interrupt.fired()) {
    net::Timer timer(worker_.executor(), time);
    WaitBreaker breaker(timer);
    const Interrupt::Scope scope(interrupt, breaker);
    co_await timer.async_wait(net::as_value);
  }
  co_return !interrupt.fired();
}

awaitable<Ending> RetryStage::call(Exchange& exchange, ReplySink& reply) {
  const bool keeps = exchange.plan.keep_alive.count() > 0 && exchange.request.stream && !exchange.raw;
  return keeps ? kept_alive(exchange, reply) : attempts(exchange, reply);
}

awaitable<Ending> RetryStage::kept_alive(Exchange& exchange, ReplySink& reply) {
  KeepAlive keep_alive(worker_, reply, exchange.plan.keep_alive);
  Ending ending;
  std::exception_ptr thrown;
  try {
    ending = co_await attempts(exchange, reply);
  } catch (...) {
    thrown = std::current_exception();  // a comment may be on its way, and must not outlive the call
  }
  co_await keep_alive.stop();
  if (thrown) std::rethrow_exception(thrown);
  co_return ending;
}

std::optional<Duration> RetryStage::patience_with(const Exchange& exchange, const Target& target) const {
  const Plan& plan = exchange.plan;
  if (!plan.hedge || exchange.raw || !exchange.attempts.empty() || plan.retry.attempts < 2) return std::nullopt;
  return times_.p95(target.provider_name, target.model, exchange.request.prompt_bytes,
                    exchange.request.stream ? targets::Awaited::stream : targets::Awaited::whole);
}

awaitable<Ending> RetryStage::hedged(Exchange& exchange, ReplySink& reply, const Candidates& candidates,
                                     const CallDeadline& deadline, Candidates::Choice& choice, Duration patience) {
  const Target* const slow = choice.target;
  const auto another = [&]() -> std::optional<Candidates::Choice> {
    const TimePoint now = Clock::now();
    auto next = candidates.next(now, worker_.random().next());
    // One that is ill or resting is no help against a slow one.
    if (!next || (next->target->place != nullptr && !next->target->place->healthy(next->key, now))) return std::nullopt;
    if (!affordable(*next->target, exchange, *exchange.plan.hedge) || !spend(*next->target)) return std::nullopt;
    return next;
  };
  const auto race = std::make_shared<Race>(worker_, exchange, reply, deadline, another);
  const TimePoint begun = Clock::now();
  Ending ending = co_await race->run(choice, patience);
  // A first one that was outrun took at least so long. Were that not known, p95 would sink with each hedge.
  if (choice.target != slow && exchange.attempts.front().failure == Failure::gateway_outrun) {
    times_.record(slow->provider_name, slow->model, exchange.request.prompt_bytes, Clock::now() - begun,
                  exchange.request.stream ? targets::Awaited::stream : targets::Awaited::whole);
  }
  co_return ending;
}

void RetryStage::learn(const Exchange& exchange) {
  if (exchange.request.stream || exchange.raw) return;  // of streams the providers write it down
  const Attempt& attempt = exchange.attempts.back();
  times_.record(attempt.provider, attempt.model, exchange.request.prompt_bytes, Clock::now() - attempt.started,
                targets::Awaited::whole);
}

awaitable<Ending> RetryStage::attempts(Exchange& exchange, ReplySink& reply) {
  Plan& plan = exchange.plan;
  const PlanStep alone{std::span(&plan.target, 1), Fill::first};
  const std::span<const PlanStep> steps = plan.steps.empty() ? std::span(&alone, 1) : plan.steps;
  const Candidates candidates(exchange, steps);
  const TimePoint begun = Clock::now();
  std::optional<Candidates::Choice> choice = candidates.next(begun, worker_.random().next());
  if (!choice) co_return no_place(candidates.any_allowed());
  const CallDeadline deadline(exchange, begun);

  Situation now;
  TimePoint starts = begun;  // one look at the clock less for all calls that go well
  now.repeatable = !exchange.raw || exchange.request.method == "GET" || exchange.request.method == "HEAD";
  for (;;) {
    std::optional<Room> room(std::in_place, *choice->target);
    if (!room->taken()) {  // it filled up in this moment
      choice = candidates.next(Clock::now(), worker_.random().next());
      if (!choice) co_return no_place(true);
      continue;
    }
    Ending ending;
    if (const auto patience = patience_with(exchange, *choice->target)) [[unlikely]] {
      ending = co_await hedged(exchange, reply, candidates, deadline, *choice, *patience);
      if (exchange.attempts.size() > 1 && exchange.attempts.front().may_have_been_billed) ++now.resends;
    } else {
      const bool trial = begin_attempt(exchange, *choice, deadline, exchange.attempts.size() + 1, starts);
      ending = co_await plan.target.provider->send(Call{exchange, plan.target}, exchange.attempts.back(), reply);
      end_attempt(exchange, *choice, ending, trial);
    }
    if (ending.ok()) [[likely]] {
      if (plan.hedge) [[unlikely]]
        learn(exchange);
      co_return ending;
    }
    room.reset();
    const Attempt& failed = exchange.attempts.back();
    const TimePoint at = Clock::now();
    now.failure = ending.failure;
    now.content_sent = ending.content_sent;
    now.permanent = ending.permanent;
    now.over = exchange.interrupt.over();
    now.billed = failed.may_have_been_billed;
    now.answered = failed.provider_status != 0;
    now.attempts = static_cast<std::uint32_t>(exchange.attempts.size());
    now.took = at - failed.started;
    now.left = deadline.at() - at;
    now.back_in = ending.back_in;
    const Target& here = *choice->target;
    const bool bigger = row_of(ending.failure).policy == Policy::bigger_context;
    std::optional<Candidates::Choice> next;
    // A window of unknown size cannot be compared: then there is no larger one.
    if (!bigger || here.context != 0) next = candidates.next(at, worker_.random().next(), bigger ? here.context : 0);
    now.elsewhere = next.has_value();
    now.elsewhere_in_budget = next && in_budget(*next->target);
    now.elsewhere_affordable = next && affordable(*next->target, exchange, plan.retry.max_resend_cost);
    now.here_in_budget = in_budget(here);
    now.here_affordable = affordable(here, exchange, plan.retry.max_resend_cost);
    const Decision decision = decide(now, plan.retry, settings_, worker_.random().next());
    if (decision.verdict == Verdict::give_up) co_return ending;
    if (decision.verdict == Verdict::elsewhere) choice = next;
    if (!spend(*choice->target)) co_return ending;
    if (now.billed) ++now.resends;
    exchange.interrupt.clear();
    if (decision.verdict == Verdict::here) {
      ++now.waits;
      if (!co_await wait(exchange.interrupt, decision.wait)) {
        ending = {};
        ending.failure = exchange.interrupt.over_because() == InterruptReason::shutdown ? Failure::gateway_busy
                                                                                        : Failure::client_left;
        ending.phase = Phase::resolve;
        ending.message = "weir is ending";
        co_return ending;
      }
    }
    starts = Clock::now();
  }
}

}  // namespace weir::pipeline
