#include "telemetry/metrics_page.hpp"

#include <weir/exchange/money.hpp>
#include "base/json_writer.hpp"

#include <prometheus/text_serializer.h>

#include <initializer_list>
#include <limits>
#include <map>
#include <span>
#include <sstream>
#include <utility>

namespace weir::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

template <std::size_t N>
using Names = std::array<const char*, N>;
template <std::size_t N, class Sum>
using Sums = std::map<std::array<std::string, N>, Sum>;

struct CallSum {
  std::array<std::uint64_t, static_cast<std::size_t>(Outcome::count_)> outcomes{};
  std::array<std::uint64_t, static_cast<std::size_t>(TokenKind::count_)> tokens{};
  std::uint64_t served = 0;
  std::uint64_t wasted = 0;
};

struct SavedSum {
  std::array<std::uint64_t, static_cast<std::size_t>(SavingCause::count_)> saved{};
  std::array<std::uint64_t, static_cast<std::size_t>(SavingCause::count_)> extra{};
};

template <std::size_t N>
struct HistogramSum {
  std::array<std::uint64_t, N + 1> buckets{};
  std::uint64_t sum_ns = 0;

  template <class H>
  void add(const H& histogram) {
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += histogram.bucket(i);
    sum_ns += histogram.sum_ns();
  }
  bool empty() const {
    for (const std::uint64_t count : buckets) {
      if (count != 0) return false;
    }
    return true;
  }
};

struct TimeSum {
  HistogramSum<kRequestBounds.size()> request;
  HistogramSum<kFirstTokenBounds.size()> first_token;
};

/// Label values that are not UTF-8 would make the whole page unreadable to Prometheus.
template <std::size_t N>
std::array<std::string, N> printable(const std::array<std::string, N>& labels) {
  std::array<std::string, N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = valid_utf8(labels[i]);
  return out;
}

MetricFamily family(const char* name, const char* help, MetricType type) {
  MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

template <std::size_t N>
ClientMetric& add_metric(MetricFamily& to, const Names<N>& names, const std::array<std::string, N>& values) {
  ClientMetric& metric = to.metric.emplace_back();
  for (std::size_t i = 0; i < N; ++i) metric.label.push_back({names[i], values[i]});
  return metric;
}

/// Labels of a call: group and key only where metrics.labels asks for them.
ClientMetric& add_call_metric(MetricFamily& to, const std::array<std::string, 6>& values, MetricsSettings labels) {
  ClientMetric& metric = to.metric.emplace_back();
  constexpr Names<6> names{"route", "task", "model", "provider", "group", "key"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i < 4 || (i == 4 ? labels.group : labels.key)) metric.label.push_back({names[i], values[i]});
  }
  return metric;
}

void add_label(ClientMetric& metric, const char* name, std::string_view value) {
  metric.label.push_back({name, std::string{value}});
}

template <std::size_t N>
void fill(ClientMetric& metric, const HistogramSum<N>& sum, const Bounds<N>& bounds) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= N; ++i) {
    cumulative += sum.buckets[i];
    const double bound = i < N ? static_cast<double>(bounds[i]) / 1e9 : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = static_cast<double>(sum.sum_ns) / 1e9;
}

double dollars(std::uint64_t nano_dollars) {
  return static_cast<double>(nano_dollars) / static_cast<double>(nano_dollars_per_dollar);
}

MetricFamily single(const char* name, const char* help, MetricType type, double value) {
  MetricFamily made = family(name, help, type);
  ClientMetric& metric = made.metric.emplace_back();
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return made;
}

std::uint64_t read(const std::atomic<std::uint64_t>* count) {
  return count != nullptr ? count->load(std::memory_order_relaxed) : 0;
}

using Workers = std::span<const WorkerMetrics* const>;
using Families = std::vector<MetricFamily>;

void collect_calls(Workers workers, MetricsSettings label_settings, Families& out) {
  Sums<6, CallSum> sums;
  Sums<2, SavedSum> saved_sums;
  for (const WorkerMetrics* worker : workers) {
    worker->calls().for_each([&](const auto& slot) {
      CallSum& sum = sums[printable(slot.labels)];
      const CallCounters& counters = slot.counters;
      for (std::size_t i = 0; i < sum.outcomes.size(); ++i) sum.outcomes[i] += counters.outcomes[i].read();
      for (std::size_t i = 0; i < sum.tokens.size(); ++i) sum.tokens[i] += counters.tokens[i].read();
      sum.served += counters.served_nano_dollars.read();
      sum.wasted += counters.wasted_nano_dollars.read();
      SavedSum& saved = saved_sums[{printable(slot.labels)[0], printable(slot.labels)[1]}];
      for (std::size_t i = 0; i < saved.saved.size(); ++i) saved.saved[i] += counters.saved_nano_dollars[i].read();
      for (std::size_t i = 0; i < saved.extra.size(); ++i) saved.extra[i] += counters.extra_nano_dollars[i].read();
    });
  }
  MetricFamily requests = family("weir_requests_total", "Calls by how they ended", MetricType::Counter);
  MetricFamily cost =
      family("weir_cost_usd_total", "US dollars booked, by whether the answer reached its client", MetricType::Counter);
  MetricFamily tokens = family("weir_tokens_total", "Tokens billed by providers, by kind", MetricType::Counter);
  for (const auto& [labels, sum] : sums) {
    for (std::size_t i = 0; i < sum.outcomes.size(); ++i) {
      if (sum.outcomes[i] == 0) continue;
      ClientMetric& metric = add_call_metric(requests, labels, label_settings);
      add_label(metric, "outcome", kOutcomeNames[i]);
      metric.counter.value = static_cast<double>(sum.outcomes[i]);
    }
    if (labels[3] == "none") continue;  // refused before a provider was chosen: nothing to pay for
    for (const auto& [kind, amount] : {std::pair{"served", sum.served}, std::pair{"wasted", sum.wasted}}) {
      ClientMetric& metric = add_call_metric(cost, labels, label_settings);
      add_label(metric, "kind", kind);
      metric.counter.value = dollars(amount);
    }
    for (std::size_t i = 0; i < sum.tokens.size(); ++i) {
      ClientMetric& metric = add_call_metric(tokens, labels, label_settings);
      add_label(metric, "kind", kTokenKindNames[i]);
      metric.counter.value = static_cast<double>(sum.tokens[i]);
    }
  }
  MetricFamily saved = family("weir_saved_usd_total", "US dollars that calls cost less than they would have, by cause",
                              MetricType::Counter);
  MetricFamily extra = family("weir_extra_usd_total",
                              "US dollars that calls cost more for a saving that did not pay off", MetricType::Counter);
  for (const auto& [labels, sum] : saved_sums) {
    for (std::size_t i = 0; i < sum.saved.size(); ++i) {
      for (const auto& [to, amount] : {std::pair{&saved, sum.saved[i]}, std::pair{&extra, sum.extra[i]}}) {
        if (amount == 0) continue;
        ClientMetric& metric = add_metric(*to, Names<2>{"route", "task"}, labels);
        add_label(metric, "by", kSavingCauseNames[i]);
        metric.counter.value = dollars(amount);
      }
    }
  }
  out.push_back(std::move(saved));
  out.push_back(std::move(extra));
  out.push_back(std::move(requests));
  out.push_back(std::move(cost));
  out.push_back(std::move(tokens));
}

void collect_attempts(Workers workers, Families& out) {
  Sums<4, std::uint64_t> sums;
  Sums<1, std::uint64_t> prices, events;
  for (const WorkerMetrics* worker : workers) {
    worker->attempts().for_each([&](const auto& slot) {
      const auto labels = printable(slot.labels);
      sums[labels] += slot.counters.attempts.read();
      if (const std::uint64_t count = slot.counters.price_unknown.read(); count > 0) prices[{labels[1]}] += count;
      if (const std::uint64_t count = slot.counters.unknown_events.read(); count > 0) events[{labels[0]}] += count;
    });
  }
  MetricFamily attempts =
      family("weir_attempts_total", "Attempts at providers, by failure and the phase it came in", MetricType::Counter);
  for (const auto& [labels, count] : sums) {
    if (count == 0) continue;
    add_metric(attempts, Names<4>{"provider", "model", "failure", "phase"}, labels).counter.value =
        static_cast<double>(count);
  }
  out.push_back(std::move(attempts));
  const auto add = [&out](const char* name, const char* what, const char* label, const Sums<1, std::uint64_t>& counts) {
    MetricFamily one = family(name, what, MetricType::Counter);
    for (const auto& [labels, count] : counts) {
      add_metric(one, Names<1>{label}, labels).counter.value = static_cast<double>(count);
    }
    out.push_back(std::move(one));
  };
  add("weir_price_unknown_total", "Attempts booked at 0 dollars because no price is known", "model", prices);
  add("weir_unknown_events_total", "Events of streams whose type weir does not know", "provider", events);
}

void collect_times(Workers workers, Families& out) {
  Sums<3, TimeSum> sums;
  for (const WorkerMetrics* worker : workers) {
    worker->times().for_each([&](const auto& slot) {
      TimeSum& sum = sums[printable(slot.labels)];
      sum.request.add(slot.counters.request);
      sum.first_token.add(slot.counters.first_token);
    });
  }
  constexpr Names<3> names{"route", "task", "provider"};
  MetricFamily request =
      family("weir_request_seconds", "From a request's head to the end of its answer", MetricType::Histogram);
  MetricFamily first_token = family("weir_first_token_seconds",
                                    "From a request's head to the first content of its stream", MetricType::Histogram);
  for (const auto& [labels, sum] : sums) {
    if (!sum.request.empty()) fill(add_metric(request, names, labels), sum.request, kRequestBounds);
    if (!sum.first_token.empty()) fill(add_metric(first_token, names, labels), sum.first_token, kFirstTokenBounds);
  }
  out.push_back(std::move(request));
  out.push_back(std::move(first_token));
}

void collect_phases(Workers workers, Families& out) {
  using PhaseSums = std::array<HistogramSum<kPhaseBounds.size()>, static_cast<std::size_t>(Phase::count_)>;
  Sums<1, PhaseSums> sums;
  HistogramSum<kOverheadBounds.size()> overhead;
  for (const WorkerMetrics* worker : workers) {
    worker->phases().for_each([&](const auto& slot) {
      PhaseSums& sum = sums[printable(slot.labels)];
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i].add(slot.counters.phases[i]);
    });
    overhead.add(worker->overhead());
  }
  MetricFamily phases =
      family("weir_upstream_phase_seconds", "How long attempts spent in each phase", MetricType::Histogram);
  for (const auto& [labels, sum] : sums) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
      if (sum[i].empty()) continue;
      ClientMetric& metric = add_metric(phases, Names<1>{"provider"}, labels);
      add_label(metric, "phase", kPhaseNames[i]);
      fill(metric, sum[i], kPhaseBounds);
    }
  }
  MetricFamily own = family("weir_overhead_seconds",
                            "A call's time outside its attempts' phases: weir's own and waiting "
                            "for the client",
                            MetricType::Histogram);
  fill(own.metric.emplace_back(), overhead, kOverheadBounds);
  out.push_back(std::move(phases));
  out.push_back(std::move(own));
}

void collect_reasks(Workers workers, Families& out) {
  Sums<3, std::uint64_t> sums;
  Sums<2, std::uint64_t> repaired;
  for (const WorkerMetrics* worker : workers) {
    worker->calls().for_each([&](const auto& slot) {
      const auto labels = printable(slot.labels);
      if (const auto count = slot.counters.json_repaired.read(); count > 0) repaired[{labels[0], labels[1]}] += count;
      if (const auto count = slot.counters.retries_of_client.read(); count > 0)
        sums[{labels[0], labels[1], "client_retry"}] += count;
      if (const auto count = slot.counters.reasks.read(); count > 0) sums[{labels[0], labels[1], "appended"}] += count;
      if (const auto count = slot.counters.retries_of_weir.read(); count > 0)
        sums[{labels[0], labels[1], "weir_retry"}] += count;
    });
  }
  MetricFamily reasks =
      family("weir_reasks_total", "What was asked again, by clients or by weir itself", MetricType::Counter);
  for (const auto& [labels, count] : sums) {
    add_metric(reasks, Names<3>{"route", "task", "why"}, labels).counter.value = static_cast<double>(count);
  }
  out.push_back(std::move(reasks));
  MetricFamily mended =
      family("weir_json_repaired_total", "Replies whose almost-JSON weir mended (repair_json)", MetricType::Counter);
  for (const auto& [labels, count] : repaired) {
    add_metric(mended, Names<2>{"route", "task"}, labels).counter.value = static_cast<double>(count);
  }
  out.push_back(std::move(mended));
}

void collect_dropped(Workers workers, Families& out) {
  Sums<3, std::uint64_t> sums;
  for (const WorkerMetrics* worker : workers) {
    worker->dropped().for_each([&](const auto& slot) { sums[printable(slot.labels)] += slot.counters.calls.read(); });
  }
  MetricFamily dropped = family("weir_translation_dropped_total",
                                "Calls whose translation left a field out, by dialects and field", MetricType::Counter);
  for (const auto& [labels, count] : sums) {
    add_metric(dropped, Names<3>{"from", "to", "field"}, labels).counter.value = static_cast<double>(count);
  }
  out.push_back(std::move(dropped));
}

void collect_places(const MetricsPage::Sources& sources, Families& out) {
  if (!sources.places) return;
  MetricFamily budget =
      family("weir_retry_budget_remaining", "Retries that a provider may still receive just now", MetricType::Gauge);
  MetricFamily circuit =
      family("weir_circuit_state", "The worst circuit of a provider: 0 closed, 1 half-open, 2 open", MetricType::Gauge);
  for (const targets::Places::Seen& seen : sources.places()) {
    add_metric(budget, Names<1>{"provider"}, {seen.provider}).gauge.value = static_cast<double>(seen.budget_remaining);
    add_metric(circuit, Names<1>{"provider"}, {seen.provider}).gauge.value =
        static_cast<double>(static_cast<int>(seen.circuit));
  }
  out.push_back(std::move(budget));
  out.push_back(std::move(circuit));
}

void collect_process(const MetricsPage::Sources& sources, Families& out) {
  std::uint64_t inflight = 0;
  std::uint64_t overflow = 0;
  for (const WorkerMetrics* worker : sources.workers) {
    inflight += worker->under_way();
    overflow += worker->series_overflow();
  }
  const std::size_t waiting = sources.waiting != nullptr ? sources.waiting->load() : 0;
  const std::size_t connections = sources.connections != nullptr ? sources.connections->load() : 0;
  out.push_back(single("weir_inflight", "Calls being answered now", MetricType::Gauge, static_cast<double>(inflight)));
  out.push_back(
      single("weir_connections", "Open connections of clients", MetricType::Gauge, static_cast<double>(connections)));
  out.push_back(single("weir_queue_waiting", "Calls that wait for a place under limits.in_flight", MetricType::Gauge,
                       static_cast<double>(waiting)));
  out.push_back(single("weir_log_lines_dropped_total", "Lines of the call log that were not written",
                       MetricType::Counter, static_cast<double>(read(sources.log_lines_dropped))));
  out.push_back(single("weir_log_write_errors_total", "Failed writes to the call log", MetricType::Counter,
                       static_cast<double>(read(sources.log_write_errors))));
  out.push_back(single("weir_traces_exported_total", "Spans that the collector of traces took", MetricType::Counter,
                       static_cast<double>(read(sources.traces_exported))));
  out.push_back(single("weir_traces_dropped_total", "Spans that were not sent, or that the collector refused",
                       MetricType::Counter, static_cast<double>(read(sources.traces_dropped))));
  out.push_back(single("weir_series_overflow_total", "Look-ups of labels that ended in `other`: too many series",
                       MetricType::Counter, static_cast<double>(overflow)));
  const LedgerCounts& ledger = sources.ledger;
  const auto ledger_line = [&](const char* name, const char* help, MetricType type,
                               const std::atomic<std::uint64_t>* value) {
    out.push_back(single(name, help, type, static_cast<double>(read(value))));
  };
  ledger_line("weir_ledger_calls_total", "Calls made durable in the ledger", MetricType::Counter, ledger.written);
  ledger_line("weir_ledger_dropped_total", "Calls that the ledger gave up because too many waited", MetricType::Counter,
              ledger.dropped);
  ledger_line("weir_ledger_lost", "Calls of processes that died before this one started, missing in the ledger",
              MetricType::Gauge, ledger.lost_at_last_start);
  ledger_line("weir_ledger_waiting", "Calls handed to the ledger and not yet durable", MetricType::Gauge,
              ledger.waiting);
  ledger_line("weir_ledger_spooled", "Calls on disk that wait for a database that is away", MetricType::Gauge,
              ledger.spooled);
  ledger_line("weir_ledger_write_errors_total", "Tries to write to the ledger that failed", MetricType::Counter,
              ledger.write_errors);
  ledger_line("weir_ledger_rejected_total", "Calls that the database refused, set aside in ledger.rejected",
              MetricType::Counter, ledger.rejected);
  MetricFamily build = family("weir_build_info", "Always 1; which weir this is", MetricType::Gauge);
  ClientMetric& metric = build.metric.emplace_back();
  add_label(metric, "version", WEIR_VERSION);
  metric.gauge.value = 1;
  out.push_back(std::move(build));
}

}  // namespace

std::vector<MetricFamily> MetricsPage::Collect() const {
  Families families;
  collect_calls(sources_.workers, sources_.labels, families);
  collect_attempts(sources_.workers, families);
  collect_times(sources_.workers, families);
  collect_phases(sources_.workers, families);
  collect_reasks(sources_.workers, families);
  collect_dropped(sources_.workers, families);
  collect_places(sources_, families);
  collect_process(sources_, families);
  return families;
}

std::string MetricsPage::text() const {
  return prometheus::TextSerializer{}.Serialize(Collect());
}

}  // namespace weir::telemetry
