// What the ledger costs per call over all threads: the recorder on the worker's thread, and one transaction per batch
// on the writer's. And how long reports over ten million calls take; WEIR_BENCH_CALLS says another number of calls.
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <thread>

#include <benchmark/benchmark.h>

#include <weir/base/clock.hpp>
#include <weir/base/random.hpp>
#include "accounting/ledger.hpp"

namespace weir::accounting {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kBegin = 1'763'701'200'000;
constexpr std::array kTasks{"support", "classification", "summary", "search"};
constexpr std::array kModels{"gpt-4o-mini", "gpt-4o", "o3-mini", "gpt-4.1", "gpt-4.1-nano"};
constexpr std::array kKeys{"web", "batch"};

std::string scratch() {
  const char* folder = std::getenv("WEIR_BENCH_FOLDER");
  std::string made = std::string(folder != nullptr ? folder : "/tmp") + "/weir-ledger-bench-XXXXXX";
  return ::mkdtemp(made.data());
}

/// An exchange like that of a usual call; vary() makes it another one of forty kinds, each call with its own ids.
/// Who asks is one of `users`, 0 = it is not said.
class Traffic {
 public:
  explicit Traffic(std::int64_t users = 0) : users_(static_cast<std::uint64_t>(users)) {
    exchange_.plan.route = "default";
    exchange_.request.stream = true;
    exchange_.request.messages = 6;
    exchange_.request.prompt_bytes = 3'100;
    exchange_.request.system_hash = 0x1234567890abcdefU;
    exchange_.started = TimePoint{} + 100s;
    exchange_.first_byte_sent = exchange_.started + 320ms;
    exchange_.status = 200;
    exchange_.took = 850ms;
    Attempt& attempt = exchange_.attempts.emplace_back();
    attempt.provider = "openai";
    attempt.reply_model = "gpt-4o-mini-2024-07-18";
    attempt.provider_status = 200;
    attempt.reused_connection = attempt.may_have_been_billed = true;
    attempt.duration_of(Phase::send) = 40us;
    attempt.duration_of(Phase::await_headers) = 310ms;
    attempt.duration_of(Phase::body) = 530ms;
    attempt.usage = {812, 1024, 0, 214, 0, true, false};
    attempt.cost = {326'800};
    attempt.price = &price_;
    exchange_.caller = &callers_[0];
  }

  const Exchange& vary(std::int64_t unix_ms) {
    const std::uint64_t dice = random_.next();
    exchange_.started_unix_ms = unix_ms;
    exchange_.id = CallId::make(unix_ms, random_);
    exchange_.request_id = exchange_.id.text();
    exchange_.request.prompt_hash = dice;
    exchange_.task = kTasks[dice % 4];
    exchange_.caller = &callers_[dice / 4 % 2];
    if (users_ > 0) exchange_.user = user_ = "user-" + std::to_string(random_.next() % users_);
    Attempt& attempt = exchange_.attempts.front();
    attempt.model = kModels[dice / 8 % 5];
    attempt.provider_request_id = "req_7f3c1d2ea0b94c7f8b1f1b0e6d3a2c55";
    attempt.usage.uncached = static_cast<std::int64_t>(dice >> 40 & 0xfff);
    attempt.cost.value = attempt.usage.uncached * 150;
    exchange_.took = std::chrono::microseconds(800'000 + (dice >> 52));
    return exchange_;
  }

 private:
  std::uint64_t users_;
  std::string user_;
  Random random_{1};
  Price price_{{150'000'000}, {600'000'000}, {75'000'000}, {0}};
  std::array<Caller, 2> callers_{Caller{kKeys[0], "shop", {}}, Caller{kKeys[1], "night", {}}};
  Exchange exchange_;
};

class NoStore final : public store::LedgerStore {
 public:
  Result<void> append(const store::LedgerBatch&) override { return {}; }
  Result<void> upkeep(std::int64_t) override { return {}; }
  std::uint64_t calls_written() const override { return 0; }
};

/// The worker's part alone.
void record(benchmark::State& state) {
  const std::string folder = scratch();
  auto ledger = Ledger::over(std::make_unique<NoStore>(), 1, folder + "/ledger", 1);
  Traffic traffic;
  const Exchange& exchange = traffic.vary(kBegin);
  std::int64_t calls = 0;
  for ([[maybe_unused]] auto unused : state) {
    (*ledger)->worker(0).call_ended(exchange);
    if (++calls % 1'000 == 0) (*ledger)->worker(0).tick();
  }
  (*ledger)->stop(1s);
  std::filesystem::remove_all(folder);
}
BENCHMARK(record);

/// Making the calls is part of the next figure; this is what to take off.
void make_call_only(benchmark::State& state) {
  Traffic traffic;
  for ([[maybe_unused]] auto unused : state) benchmark::DoNotOptimize(&traffic.vary(kBegin));
}
BENCHMARK(make_call_only);

/// All threads: recorder, hand-over, transaction, and copying home from the log. Arguments: calls per transaction,
/// users.
void record_and_append(benchmark::State& state) {
  const std::string folder = scratch();
  const std::string path = folder + "/ledger.db";
  auto opened = Ledger::open({path, ""}, 1);
  if (!opened) return state.SkipWithError(opened.error().message.c_str());
  Ledger& ledger = **opened;
  Traffic traffic(state.range(1));
  std::int64_t calls = 0;
  for ([[maybe_unused]] auto unused : state) {
    ledger.worker(0).call_ended(traffic.vary(kBegin + calls / 10));
    if (++calls % state.range(0) != 0) continue;
    ledger.worker(0).tick();
    while (ledger.counters().waiting.load() > 0) std::this_thread::sleep_for(200us);
  }
  ledger.stop(10s);
  state.counters["bytes_per_call"] = static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(calls);
  opened->reset();
  std::filesystem::remove_all(folder);
}
BENCHMARK(record_and_append)
    ->Args({100, 0})
    ->Args({1'000, 0})
    ->Args({4'000, 0})
    ->Args({1'000, 4'000})
    ->Iterations(1'000'000)
    ->MeasureProcessCPUTime();

/// Ten million calls of thirty days by 4,000 users, made once.
class FullLedger {
 public:
  FullLedger() : folder_(scratch()) {
    const char* asked = std::getenv("WEIR_BENCH_CALLS");
    calls_ = asked != nullptr ? std::atoll(asked) : 10'000'000;
    auto ledger = Ledger::open({path(), ""}, 1);
    if (!ledger) std::abort();
    Traffic traffic(4'000);
    for (std::int64_t i = 0; i < calls_; ++i) {
      (*ledger)->worker(0).call_ended(traffic.vary(kBegin + i * (30LL * 24 * 3'600'000) / calls_));
      if (i % 4'000 != 0) continue;
      (*ledger)->worker(0).tick();
      while ((*ledger)->counters().waiting.load() > 20'000) std::this_thread::sleep_for(1ms);
    }
    (*ledger)->stop(60s);
    // As many upkeeps as take a quarter of a second each; the others find nothing to do.
    auto store = store::open_sqlite_ledger(path(), 2);
    const std::clock_t begin = std::clock();
    for (int i = 0; i < 400; ++i) static_cast<void>((*store)->upkeep(unix_milliseconds()));
    pack_us_per_call_ = static_cast<double>(std::clock() - begin) / static_cast<double>(calls_);
  }
  ~FullLedger() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/ledger.db"; }
  std::int64_t calls() const { return calls_; }
  double pack_us_per_call() const { return pack_us_per_call_; }  ///< CPU, once in a call's life

  static const FullLedger& the() {
    static const FullLedger ledger;
    return ledger;
  }

 private:
  std::string folder_;
  std::int64_t calls_ = 0;
  double pack_us_per_call_ = 0;
};

void report(benchmark::State& state, std::vector<store::Dimension> by) {
  const FullLedger& ledger = FullLedger::the();
  store::SumQuery query;
  query.since_unix_ms = kBegin + 1'234'567;  // not a full hour: what is left is counted from calls
  query.until_unix_ms = kBegin + 40LL * 24 * 3'600'000;
  query.by = std::move(by);
  std::int64_t calls = 0;
  for ([[maybe_unused]] auto unused : state) {
    auto reader = store::open_sqlite_reader(ledger.path());
    const auto sums = (*reader)->sums(query);
    calls = 0;
    for (const store::SumRow& row : *sums) calls += row.calls;
  }
  state.counters["calls"] = static_cast<double>(calls);
  state.counters["pack_us_per_call"] = ledger.pack_us_per_call();
  state.counters["bytes_per_call"] =
      static_cast<double>(std::filesystem::file_size(ledger.path())) / static_cast<double>(ledger.calls());
}
void report_by_task(benchmark::State& state) {
  report(state, {store::Dimension::task});
}
void report_by_task_and_model(benchmark::State& state) {
  report(state, {store::Dimension::task, store::Dimension::model});
}
void report_by_day_and_model(benchmark::State& state) {
  report(state, {store::Dimension::day, store::Dimension::model});
}
void report_in_all(benchmark::State& state) {
  report(state, {});
}
void report_by_user(benchmark::State& state) {  // not in the hourly sums: reads packs
  report(state, {store::Dimension::user});
}
void report_by_model_and_user(benchmark::State& state) {
  report(state, {store::Dimension::model, store::Dimension::user});
}
void report_by_day_and_user(benchmark::State& state) {
  report(state, {store::Dimension::day, store::Dimension::user});
}
void report_by_tag(benchmark::State& state) {
  report(state, {store::Dimension::tag});
}
void period_of_all(benchmark::State& state) {  // half of what drift reads
  auto reader = store::open_sqlite_reader(FullLedger::the().path());
  for ([[maybe_unused]] auto unused : state) {
    benchmark::DoNotOptimize((*reader)->period(kBegin + 1'234'567, kBegin + 40LL * 24 * 3'600'000));
  }
}
void period_of_a_week(benchmark::State& state) {
  auto reader = store::open_sqlite_reader(FullLedger::the().path());
  for ([[maybe_unused]] auto unused : state) {
    benchmark::DoNotOptimize((*reader)->period(kBegin + 1'234'567, kBegin + 7LL * 24 * 3'600'000));
  }
}
BENCHMARK(report_by_task)->Unit(benchmark::kMillisecond);
BENCHMARK(report_by_task_and_model)->Unit(benchmark::kMillisecond);
BENCHMARK(report_by_day_and_model)->Unit(benchmark::kMillisecond);
BENCHMARK(period_of_a_week)->Unit(benchmark::kMillisecond);
BENCHMARK(report_in_all)->Unit(benchmark::kMillisecond);
BENCHMARK(period_of_all)->Unit(benchmark::kMillisecond);
BENCHMARK(report_by_user)->Unit(benchmark::kMillisecond);
BENCHMARK(report_by_model_and_user)->Unit(benchmark::kMillisecond);
BENCHMARK(report_by_day_and_user)->Unit(benchmark::kMillisecond);
BENCHMARK(report_by_tag)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::accounting
