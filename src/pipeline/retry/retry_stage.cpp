#include "pipeline/retry/retry_stage.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "pipeline/retry/call_deadline.hpp"
#include "pipeline/retry/keep_alive.hpp"
#include "targets/place.hpp"

namespace weir::pipeline {
namespace {

constexpr std::int64_t kGuessedOutput = 500;  // tokens: what a resend is thought to generate

std::int64_t second_of(TimePoint at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

class WaitBreaker final : public Interruptible {
 public:
  explicit WaitBreaker(net::Timer& timer) : timer_(timer) {}
  void interrupt() override { timer_.cancel(); }

 private:
  net::Timer& timer_;
};

/// One attempt's room under max_in_flight.
class Room {
 public:
  explicit Room(const Target& target)
      : place_(target.place), taken_(place_ == nullptr || place_->enter(target.max_in_flight)) {}
  ~Room() {
    if (taken_ && place_ != nullptr) place_->leave();
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  bool taken() const { return taken_; }

 private:
  targets::Place* place_;
  bool taken_;
};

bool affordable(const Target& target, const Exchange& exchange) {
  const Price* price = target.own_price != nullptr  ? target.own_price
                       : target.id_price != nullptr ? target.id_price
                                                    : target.name_price;
  if (price == nullptr) return true;  // RULINGS 9: it is counted when it is booked
  Usage usage;
  usage.uncached = tokens_from_bytes(exchange.request.prompt_bytes);
  usage.output = kGuessedOutput;
  return cost_of(*price, usage).value <= exchange.plan.retry.max_resend_cost.value;
}

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

struct RetryStage::Clockwork {
  TimePoint at = TimePoint::max();                      ///< nobody waits past this
  std::optional<std::chrono::milliseconds> first_byte;  ///< of a stream: the client's own patience

  Clockwork(const Exchange& exchange, TimePoint now) {
    const Plan& plan = exchange.plan;
    at = plan.deadline.count() > 0 ? exchange.started + plan.deadline : now + plan.target.time_limits.total;
    if (const auto client = client_timeout(exchange.request.headers)) {
      if (exchange.request.stream && !exchange.raw) {
        // A client's read timeout is between two reads: of a stream it bounds the first byte, not the whole.
        if (*client < std::chrono::seconds(120)) first_byte = *client;
      } else {
        at = std::min(at, exchange.started + *client);
      }
    }
  }
  void apply(TimeLimits& limits, TimePoint now) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at - now);
    limits.total = std::max(std::min(limits.total, left), std::chrono::milliseconds(1));
    if (first_byte && (limits.first_byte.count() == 0 || *first_byte < limits.first_byte)) {
      limits.first_byte = *first_byte;
    }
  }
};

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

bool RetryStage::begin_attempt(Exchange& exchange, const Candidates::Choice& choice, const Clockwork& clockwork) {
  const Target& target = *choice.target;
  Target& sent_to = exchange.plan.target;
  if (&target != &sent_to) sent_to = target;
  Attempt& attempt = exchange.attempts.emplace_back();
  attempt.provider = target.provider_name;
  attempt.model = target.model;
  attempt.span = attempt_span(exchange.trace, exchange.attempts.size());
  attempt.key_index = choice.key;
  attempt.target = &target;
  if (exchange.request.addressed != nullptr)
    exchange.patch = exchange.request.addressed->patch_for(target.upstream_model);
  attempt.started = Clock::now();
  clockwork.apply(sent_to.time_limits, attempt.started);
  bool trial = false;
  if (target.place != nullptr) {
    target.place->admit(choice.key, attempt.started, trial);
    if (exchange.attempts.size() == 1) target.place->provider().budget.note_call(second_of(attempt.started));
  }
  return trial;
}

void RetryStage::end_attempt(Exchange& exchange, const Candidates::Choice& choice, const Ending& ending, bool trial) {
  Attempt& attempt = exchange.attempts.back();
  attempt.failure = ending.failure;
  attempt.phase = ending.phase;
  targets::Place* const place = choice.target->place;
  if (place == nullptr) return;
  const TimePoint now = Clock::now();
  place->report(choice.key, ending.failure, ending.back_in, trial, now);
  if (!choice.measured) return;
  // A place that fails fast is not a fast place.
  const bool slow = row_of(ending.failure).provider_fault && now - attempt.started > std::chrono::seconds(1);
  if (!ending.ok() && !slow) return;
  const bool streamed = exchange.request.stream && ending.ok();
  place->took(
      streamed ? attempt.duration_of(Phase::send) + attempt.duration_of(Phase::await_headers) : now - attempt.started,
      now);
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

awaitable<Ending> RetryStage::attempts(Exchange& exchange, ReplySink& reply) {
  Plan& plan = exchange.plan;
  const PlanStep alone{std::span(&plan.target, 1), Fill::first};
  const std::span<const PlanStep> steps = plan.steps.empty() ? std::span(&alone, 1) : plan.steps;
  const Candidates candidates(exchange, steps);
  const TimePoint begun = Clock::now();
  std::optional<Candidates::Choice> choice = candidates.next(begun, worker_.random().next());
  if (!choice) co_return no_place(candidates.any_allowed());
  const Clockwork clockwork(exchange, begun);

  Situation now;
  now.repeatable = !exchange.raw || exchange.request.method == "GET" || exchange.request.method == "HEAD";
  for (;;) {
    std::optional<Room> room(std::in_place, *choice->target);
    if (!room->taken()) {  // it filled up in this moment
      choice = candidates.next(Clock::now(), worker_.random().next());
      if (!choice) co_return no_place(true);
      continue;
    }
    const bool trial = begin_attempt(exchange, *choice, clockwork);
    Ending ending = co_await plan.target.provider->send(Call{exchange, plan.target}, exchange.attempts.back(), reply);
    end_attempt(exchange, *choice, ending, trial);
    if (ending.ok()) [[likely]]
      co_return ending;
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
    now.left = clockwork.at - at;
    now.back_in = ending.back_in;
    const Target& here = *choice->target;
    const bool bigger = row_of(ending.failure).policy == Policy::bigger_context;
    std::optional<Candidates::Choice> next;
    // A window of unknown size cannot be compared: then there is no larger one.
    if (!bigger || here.context != 0) next = candidates.next(at, worker_.random().next(), bigger ? here.context : 0);
    now.elsewhere = next.has_value();
    now.elsewhere_in_budget = next && in_budget(*next->target);
    now.elsewhere_affordable = next && affordable(*next->target, exchange);
    now.here_in_budget = in_budget(here);
    now.here_affordable = affordable(here, exchange);
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
  }
}

}  // namespace weir::pipeline
