#include "telemetry/worker_metrics.hpp"

#include "base/json_writer.hpp"

namespace weir::telemetry {
namespace {

constexpr std::size_t kLabelBytesMax = 128;  // a model's name is the client's word; this is longer than any real one
constexpr std::string_view kOther = "other";

std::string_view label(std::string_view text) {
  return text.empty() ? std::string_view{"none"} : cut_text(text, kLabelBytesMax);
}

std::uint64_t count(std::int64_t value) {
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

// Lines on the page per slot: a histogram has its buckets, the one above, sum and count.
constexpr std::size_t series_of(std::size_t bounds) {
  return bounds + 3;
}
constexpr std::size_t kCallSeries = static_cast<std::size_t>(TokenKind::count_) + 2 + 3;  // 3: outcomes that do occur
constexpr std::size_t kTimeSeries = series_of(kRequestBounds.size()) + series_of(kFirstTokenBounds.size());
constexpr std::size_t kPhaseSeries = series_of(kPhaseBounds.size()) * 4;  // 4: phases that a provider goes through
constexpr std::size_t kAttemptSeries = 2;

std::string_view name_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_completions:
      return "openai_completions";
    case Dialect::openai_responses:
      return "openai_responses";
    case Dialect::anthropic:
      return "anthropic";
    case Dialect::openai_chat:
      break;
  }
  return "openai_chat";
}

}  // namespace

WorkerMetrics::WorkerMetrics(SeriesBudget& budget, MetricsSettings settings, std::uint64_t seed)
    : budget_(budget),
      settings_(settings),
      calls_(seed),
      times_(seed),
      attempts_(seed),
      phases_(seed),
      dropped_(seed) {}

/// `instead` is where a slot beyond the budget is counted; it is always admitted, because it has only configured names.
template <std::size_t N, class Counters, class F>
Counters& WorkerMetrics::find_or_add(SlotTable<N, Counters>& table, char name, std::size_t series,
                                     const Labels<N>& labels, const Labels<N>& instead, F&& prepare) {
  if (auto* slot = table.find(labels); slot != nullptr) return slot->counters;
  if (budget_.admits(name, labels, series)) return table.add(labels, prepare).counters;
  overflow_.add(1);
  if (auto* slot = table.find(instead); slot != nullptr) return slot->counters;
  return table.add(instead, prepare).counters;
}

TimeCounters& WorkerMetrics::times_for(const Labels<3>& labels) {
  return find_or_add(times_, 't', kTimeSeries, labels, {labels[0], kOther, labels[2]}, [](TimeCounters&) {});
}

PhaseCounters& WorkerMetrics::phases_for(std::string_view provider) {
  return find_or_add(phases_, 'p', kPhaseSeries, {provider}, {kOther}, [](PhaseCounters&) {});
}

AttemptCounters& WorkerMetrics::attempt_for(const Labels<4>& labels) {
  return find_or_add(attempts_, 'a', kAttemptSeries, labels, {labels[0], kOther, labels[2], labels[3]},
                     [](AttemptCounters&) {});
}

CallCounters& WorkerMetrics::new_call(const Labels<6>& labels) {
  const auto& [route, task, model, provider, group, key] = labels;
  TimeCounters& times = times_for({route, task, provider});
  PhaseCounters& phases = phases_for(provider);
  AttemptCounters& success = attempt_for({provider, model, name_of(Failure::none), name_of(Phase::none)});
  return find_or_add(calls_, 'c', kCallSeries, labels, {route, kOther, kOther, provider, group, key},
                     [&](CallCounters& counters) {
                       counters.times = &times;
                       counters.phases = &phases;
                       counters.success = &success;
                     });
}

CallCounters& WorkerMetrics::call(std::string_view route, std::string_view task, std::string_view model,
                                  std::string_view provider, const Caller* caller) {
  Labels<6> labels{label(route), label(task), label(model), label(provider)};
  if (settings_.group) labels[4] = label(caller != nullptr ? caller->group : std::string_view{});
  if (settings_.key) labels[5] = label(caller != nullptr ? caller->name : std::string_view{});
  if (auto* slot = calls_.find(labels); slot != nullptr) [[likely]]
    return slot->counters;
  return new_call(labels);
}

void WorkerMetrics::count_attempt(CallCounters& counters, const Attempt& attempt) {
  const Usage& usage = attempt.usage;
  const auto add_tokens = [&](TokenKind kind, std::int64_t tokens) {
    if (tokens > 0) counters.tokens[static_cast<std::size_t>(kind)].add(count(tokens));
  };
  add_tokens(TokenKind::uncached, usage.uncached);
  add_tokens(TokenKind::cache_read, usage.cache_read);
  add_tokens(TokenKind::cache_write, usage.cache_write);
  add_tokens(TokenKind::output, usage.output - usage.reasoning);
  add_tokens(TokenKind::reasoning, usage.reasoning);
  (attempt.wasted ? counters.wasted_nano_dollars : counters.served_nano_dollars).add(count(attempt.cost.value));

  AttemptCounters& ended = attempt.failure == Failure::none
                               ? *counters.success
                               : attempt_for({label(attempt.provider), label(attempt.model), name_of(attempt.failure),
                                              name_of(attempt.phase)});
  ended.attempts.add(1);
  if (!attempt.price_known) ended.price_unknown.add(1);
  if (attempt.unknown_events > 0) ended.unknown_events.add(attempt.unknown_events);

  for (std::size_t i = 0; i < attempt.phases.size(); ++i) {
    if (attempt.phases[i] > Duration::zero()) counters.phases->phases[i].observe(attempt.phases[i]);
  }
}

void WorkerMetrics::count_dropped(const Exchange& exchange) {
  const std::string_view from = name_of(exchange.request.dialect);
  for (const std::string& field : exchange.dropped_fields) {
    find_or_add(dropped_, 'd', 1, {from, exchange.dropped_to, field}, {from, exchange.dropped_to, kOther},
                [](DroppedCounters&) {})
        .calls.add(1);
  }
}

void WorkerMetrics::call_ended(const Exchange& exchange) {
  const std::string_view route = exchange.plan.route;
  CallCounters* last = nullptr;
  Duration upstream{};
  for (const Attempt& attempt : exchange.attempts) {
    last = &call(route, exchange.task, attempt.model, attempt.provider, exchange.caller);
    count_attempt(*last, attempt);
    for (const Duration took : attempt.phases) upstream += took;
  }
  if (last == nullptr) {
    const Target& target = exchange.plan.target;
    last = &call(route, exchange.task, target.model, target.provider_name, exchange.caller);
  }
  last->outcomes[static_cast<std::size_t>(exchange.outcome)].add(1);
  for (std::size_t i = 0; i < exchange.saved.by.size(); ++i) {
    const std::int64_t saved = exchange.saved.by[i].value;
    if (saved > 0) last->saved_nano_dollars[i].add(count(saved));
    if (saved < 0) last->extra_nano_dollars[i].add(count(-saved));
  }
  if (exchange.request.client_retry > 0) last->retries_of_client.add(1);
  if (exchange.reask) last->reasks.add(1);
  if (!exchange.dropped_fields.empty()) count_dropped(exchange);
  if (exchange.json_repaired) last->json_repaired.add(1);
  if (exchange.attempts.size() > 1) last->retries_of_weir.add(exchange.attempts.size() - 1);
  last->times->request.observe(exchange.took);
  if (exchange.request.stream && exchange.first_byte_sent != TimePoint{}) {
    last->times->first_token.observe(exchange.first_byte_sent - exchange.started);
  }
  overhead_.observe(exchange.took - upstream);
  ended_.add(1);
}

std::uint64_t WorkerMetrics::under_way() const {
  // Ended before started, so that it is never below zero, and once more after: where calls ended in between (the reader
  // may have been put aside for long), all that were started meanwhile would count as under way.
  std::uint64_t ended = ended_.read();
  for (int tries = 0;; ++tries) {
    const std::uint64_t started = started_.read();
    const std::uint64_t since = ended_.read();
    if (since == ended || tries == 100) return started > ended ? started - ended : 0;
    ended = since;
  }
}

void WorkerMetrics::refused(Failure failure) {
  call({}, {}, {}, {}, nullptr).outcomes[static_cast<std::size_t>(row_of(failure).outcome)].add(1);
}

}  // namespace weir::telemetry
