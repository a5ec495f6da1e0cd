// What telemetry costs per call on its worker's thread, warmed: count, keep, format the log line, hand it over.
#include "telemetry/telemetry.hpp"
#include "telemetry/trace_spans.hpp"

#include <benchmark/benchmark.h>

#include <weir/base/random.hpp>

namespace weir::telemetry {
namespace {

using namespace std::chrono_literals;

void book(Exchange& exchange) {
  Random random{1};
  exchange.id = CallId::make(1'763'701'567'123, random);
  exchange.request_id = exchange.id.text();
  exchange.started = TimePoint{} + 100s;
  exchange.started_unix_ms = 1'763'701'567'123;
  exchange.plan.route = "support";
  exchange.task = "classification";
  exchange.request.stream = true;
  exchange.first_byte_sent = exchange.started + 320ms;
  exchange.status = 200;
  exchange.took = 850ms;
  Attempt& attempt = exchange.attempts.emplace_back();
  attempt.provider = "openai";
  attempt.model = "gpt-4o-mini";
  attempt.reply_model = "gpt-4o-mini-2024-07-18";
  attempt.provider_request_id = "req_7f3c1d2ea0b94c7f8b1f1b0e6d3a2c55";
  attempt.provider_status = 200;
  attempt.reused_connection = true;
  attempt.may_have_been_billed = true;
  attempt.duration_of(Phase::send) = 40us;
  attempt.duration_of(Phase::await_headers) = 310ms;
  attempt.duration_of(Phase::body) = 530ms;
  attempt.usage.uncached = 812;
  attempt.usage.cache_read = 1024;
  attempt.usage.output = 214;
  attempt.usage.reported = true;
  attempt.cost = {326'800};
  exchange.usage = attempt.usage;
  exchange.cost = attempt.cost;
}

void run(benchmark::State& state, const char* to) {
  auto telemetry = Telemetry::open({.to = to}, {}, 1, nullptr);
  WorkerTelemetry& worker = (*telemetry)->worker(0);
  Exchange exchange;
  book(exchange);
  for (int i = 0; i < 3'000; ++i) worker.call_ended(exchange);
  for ([[maybe_unused]] auto unused : state) {
    worker.call_started();
    worker.call_ended(exchange);
    ++exchange.started_unix_ms;
  }
}

void call_ended_logged(benchmark::State& state) {
  run(state, "/dev/null");
}
void call_ended_unlogged(benchmark::State& state) {
  run(state, "off");
}
BENCHMARK(call_ended_logged);
BENCHMARK(call_ended_unlogged);

/// As a call asks it once and tells at its end; a collector that takes all at once.
void run_traced(benchmark::State& state, bool on, std::string_view traceparent) {
  auto taking = [](std::string_view, std::chrono::milliseconds) {
    TraceAnswer taken;
    taken.delivered = true;
    return taken;
  };
  auto traces = on ? std::make_unique<Traces>(taking, TracesSettings{}, 1ms) : nullptr;
  SeriesBudget budget;
  auto writer = *LogWriter::open("off");
  WorkerTelemetry worker{budget, {}, *writer, 7, traces.get()};
  Exchange exchange;
  book(exchange);
  for (int i = 0; i < 3'000; ++i) worker.call_ended(exchange);
  for ([[maybe_unused]] auto unused : state) {
    exchange.trace = worker.trace_of(exchange.id, traceparent);
    worker.call_ended(exchange);
  }
  if (on) state.counters["dropped"] = static_cast<double>(traces->dropped());
}

void call_traces_off(benchmark::State& state) {
  run_traced(state, false, "");
}
void call_traces_unsampled(benchmark::State& state) {
  run_traced(state, true, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
}
void call_traces_on(benchmark::State& state) {
  run_traced(state, true, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}
BENCHMARK(call_traces_off);
BENCHMARK(call_traces_unsampled);
BENCHMARK(call_traces_on);

void spans_only(benchmark::State& state) {
  Exchange exchange;
  book(exchange);
  exchange.trace.sampled = true;
  std::string memory(call_spans_bytes_max, '\0');
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto unused : state) {
    JsonWriter out{memory.data(), memory.data() + memory.size()};
    write_spans(out, exchange);
    bytes = static_cast<std::size_t>(out.at() - memory.data());
    benchmark::DoNotOptimize(memory.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(spans_only);

void metrics_only(benchmark::State& state) {
  SeriesBudget budget;
  WorkerMetrics metrics{budget, {}, 7};
  Exchange exchange;
  book(exchange);
  for ([[maybe_unused]] auto unused : state) metrics.call_ended(exchange);
}
BENCHMARK(metrics_only);

void recent_only(benchmark::State& state) {
  RecentCalls recent;
  Exchange exchange;
  book(exchange);
  for (int i = 0; i < 3'000; ++i) recent.add(exchange);
  for ([[maybe_unused]] auto unused : state) recent.add(exchange);
}
BENCHMARK(recent_only);

void line_only(benchmark::State& state) {
  Exchange exchange;
  book(exchange);
  std::string memory(call_line_bytes_max, '\0');
  TimeText time;
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto unused : state) {
    JsonWriter out{memory.data(), memory.data() + memory.size()};
    write_call_line(out, exchange, time);
    bytes = static_cast<std::size_t>(out.at() - memory.data());
    benchmark::DoNotOptimize(memory.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(line_only);

void scrape_10000_series(benchmark::State& state) {
  auto telemetry = Telemetry::open({.to = "off"}, {}, 2, nullptr);
  Exchange exchange;
  book(exchange);
  for (std::size_t i = 0; i < 1'000; ++i) {
    const std::string task = "task-" + std::to_string(i);
    exchange.task = task;
    (*telemetry)->worker(i % 2).call_ended(exchange);
  }
  for ([[maybe_unused]] auto unused : state) benchmark::DoNotOptimize((*telemetry)->metrics_text());
}
BENCHMARK(scrape_10000_series)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::telemetry
