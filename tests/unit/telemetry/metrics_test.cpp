#include "telemetry/metrics_page.hpp"
#include "unit/telemetry/call_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

namespace weir::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class MetricsTest : public testing::Test {
 protected:
  std::string page() const {
    const auto places = [] {
      return std::vector<targets::Places::Seen>{{"openai", 117, targets::CircuitBreaker::State::open}};
    };
    return MetricsPage{{.workers = {&worker, &other}, .places = places}}.text();
  }

  SeriesBudget budget;
  WorkerMetrics worker{budget, {}, 7};
  WorkerMetrics other{budget, {}, 8};
  BookedCall call;
};

/// Every sample on a page: its name with labels, and its value.
std::map<std::string, double> samples(const std::string& page) {
  std::map<std::string, double> out;
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_TRUE(out.emplace(line.substr(0, space), std::stod(line.substr(space))).second) << "twice: " << line;
  }
  return out;
}

std::set<std::string> names_on(const std::string& page) {
  std::set<std::string> names;
  std::istringstream lines{page};
  for (std::string word; lines >> word;) {
    if (word == "TYPE" && lines >> word) names.insert(word);
  }
  return names;
}

TEST_F(MetricsTest, CountsACall) {
  worker.call_ended(call.exchange);
  const auto all = samples(page());
  const std::string labels = R"({route="support",task="billing",model="gpt-4o-mini",provider="openai",)";
  EXPECT_EQ(all.at("weir_requests_total" + labels + R"(outcome="ok"})"), 1);
  EXPECT_EQ(all.at("weir_cost_usd_total" + labels + R"(kind="served"})"), 0.000225);
  EXPECT_EQ(all.at("weir_cost_usd_total" + labels + R"(kind="wasted"})"), 0);
  EXPECT_EQ(all.at("weir_tokens_total" + labels + R"(kind="uncached"})"), 1000);
  EXPECT_EQ(all.at("weir_tokens_total" + labels + R"(kind="cache_read"})"), 200);
  EXPECT_EQ(all.at("weir_tokens_total" + labels + R"(kind="cache_write"})"), 0);
  EXPECT_EQ(all.at("weir_tokens_total" + labels + R"(kind="output"})"), 70) << "without reasoning";
  EXPECT_EQ(all.at("weir_tokens_total" + labels + R"(kind="reasoning"})"), 30);
  EXPECT_EQ(all.at(R"(weir_attempts_total{provider="openai",model="gpt-4o-mini",failure="none",phase="none"})"), 1);
  const std::string times = R"({route="support",task="billing",provider="openai")";
  EXPECT_EQ(all.at("weir_request_seconds_count" + times + "}"), 1);
  EXPECT_EQ(all.at("weir_request_seconds_sum" + times + "}"), 0.85);
  EXPECT_EQ(all.at("weir_request_seconds_bucket" + times + R"(,le="0.5"})"), 0);
  EXPECT_EQ(all.at("weir_request_seconds_bucket" + times + R"(,le="1"})"), 1);
  EXPECT_EQ(all.at("weir_request_seconds_bucket" + times + R"(,le="+Inf"})"), 1);
  EXPECT_EQ(all.count("weir_first_token_seconds_count" + times + "}"), 0U) << "not a stream";
  EXPECT_EQ(all.at(R"(weir_upstream_phase_seconds_sum{provider="openai",phase="await_headers"})"), 0.5);
  EXPECT_EQ(all.count(R"(weir_upstream_phase_seconds_sum{provider="openai",phase="connect"})"), 0U);
  EXPECT_NEAR(all.at("weir_overhead_seconds_sum"), 0.0009, 1e-9);
  EXPECT_EQ(all.at(R"(weir_build_info{version=")" WEIR_VERSION R"("})"), 1);
}

TEST_F(MetricsTest, SumsOverWorkersWithoutDoubling) {
  for (int i = 0; i < 3; ++i) worker.call_ended(call.exchange);
  for (int i = 0; i < 4; ++i) other.call_ended(call.exchange);
  const auto all = samples(page());
  EXPECT_EQ(all.at(R"(weir_requests_total{route="support",task="billing",model="gpt-4o-mini",provider="openai",)"
                   R"(outcome="ok"})"),
            7);
}

TEST_F(MetricsTest, AbsentLabelsAreNoneAndARefusalHasNone) {
  worker.refused(Failure::client_malformed);
  const std::string text = page();
  const auto all = samples(text);
  EXPECT_EQ(all.at(R"(weir_requests_total{route="none",task="none",model="none",provider="none",)"
                   R"(outcome="client_error"})"),
            1);
  EXPECT_THAT(text, Not(HasSubstr("weir_tokens_total{")));
  EXPECT_THAT(text, Not(HasSubstr("weir_request_seconds_count{")));
  EXPECT_EQ(all.at("weir_inflight"), 0);
}

TEST_F(MetricsTest, InFlightIsStartedMinusEnded) {
  worker.call_started();
  worker.call_started();
  other.call_started();
  EXPECT_EQ(samples(page()).at("weir_inflight"), 3);
  worker.call_ended(call.exchange);
  EXPECT_EQ(samples(page()).at("weir_inflight"), 2);
}

TEST_F(MetricsTest, BooksEachAttemptWhereItWent) {
  Attempt& first = call.exchange.attempts[0];
  first.failure = Failure::upstream_timeout_first_byte;
  first.phase = Phase::await_headers;
  first.wasted = true;
  first.price_known = false;
  first.cost = {};
  Attempt& second = call.attempt();
  second.provider = "backup";
  second.model = "qwen3-8b";
  worker.call_ended(call.exchange);
  const auto all = samples(page());
  EXPECT_EQ(all.at(R"(weir_attempts_total{provider="openai",model="gpt-4o-mini",)"
                   R"(failure="upstream.timeout.first_byte",phase="await_headers"})"),
            1);
  EXPECT_EQ(all.at(R"(weir_attempts_total{provider="backup",model="qwen3-8b",failure="none",phase="none"})"), 1);
  EXPECT_EQ(all.at(R"(weir_price_unknown_total{model="gpt-4o-mini"})"), 1);
  EXPECT_EQ(all.at(R"(weir_requests_total{route="support",task="billing",model="qwen3-8b",provider="backup",)"
                   R"(outcome="ok"})"),
            1);
  double tokens = 0;
  for (const auto& [name, value] : all) tokens += name.starts_with("weir_tokens_total") ? value : 0;
  EXPECT_EQ(tokens, 2 * (1000 + 200 + 100)) << "kinds sum to the whole";
}

TEST_F(MetricsTest, TimesTheFirstTokenOfStreams) {
  call.exchange.request.stream = true;
  call.exchange.first_byte_sent = call.exchange.started + 320ms;
  worker.call_ended(call.exchange);
  const auto all = samples(page());
  const std::string labels = R"({route="support",task="billing",provider="openai")";
  EXPECT_EQ(all.at("weir_first_token_seconds_bucket" + labels + R"(,le="0.3"})"), 0);
  EXPECT_EQ(all.at("weir_first_token_seconds_bucket" + labels + R"(,le="0.5"})"), 1);
}

TEST_F(MetricsTest, LabelsFromOutsideCannotBreakThePage) {
  call.exchange.task = "a\"b\\c\nd";
  call.exchange.attempts[0].model = "bad\xFF";
  worker.call_ended(call.exchange);
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr(R"(task="a\"b\\c\nd")"));
  EXPECT_THAT(text, HasSubstr("model=\"bad\xEF\xBF\xBD\""));
}

TEST_F(MetricsTest, AFloodOfLabelsEndsInOther) {
  constexpr int flood = 5'000;
  for (int i = 0; i < flood; ++i) {
    const std::string task = "task-" + std::to_string(i);
    call.exchange.task = task;
    worker.call_ended(call.exchange);
    if (i % 2 == 0) other.call_ended(call.exchange);
  }
  const std::string text = page();
  const auto all = samples(text);
  EXPECT_LE(budget.series(), limits::series_max);
  EXPECT_LE(all.size(), limits::series_max + 200) << "what is configured and `other` come on top";
  EXPECT_GT(all.at("weir_series_overflow_total"), 0);
  EXPECT_GT(all.at(R"(weir_requests_total{route="support",task="other",model="other",provider="openai",outcome="ok"})"),
            0);
  double calls = 0;
  for (const auto& [name, value] : all) calls += name.starts_with("weir_requests_total") ? value : 0;
  EXPECT_EQ(calls, flood + flood / 2) << "counted once each, somewhere";
}

TEST_F(MetricsTest, ScrapesWhileWorkersCountNeverGoBackwards) {
  std::atomic<bool> stop{false};
  const auto work = [&](WorkerMetrics& metrics, int offset) {
    BookedCall own;
    for (int i = 0; i < 20'000; ++i) {
      const std::string task = "t" + std::to_string((i + offset) % 300);
      own.exchange.task = task;
      own.exchange.attempts[0].cost = {i};
      metrics.call_started();
      metrics.call_ended(own.exchange);
    }
  };
  std::thread scraper{[&] {
    std::map<std::string, double> before;
    while (!stop.load()) {
      auto now = samples(page());
      EXPECT_LE(now.at("weir_inflight"), 2);
      now.erase("weir_inflight");
      for (const auto& [name, value] : before) {
        const auto same = now.find(name);
        ASSERT_NE(same, now.end()) << name << " has gone";
        EXPECT_LE(value, same->second) << name;
      }
      before = std::move(now);
    }
  }};
  std::thread first{[&] { work(worker, 0); }};
  std::thread second{[&] { work(other, 150); }};
  first.join();
  second.join();
  stop.store(true);
  scraper.join();
  double calls = 0;
  for (const auto& [name, value] : samples(page())) calls += name.starts_with("weir_requests_total") ? value : 0;
  EXPECT_EQ(calls, 40'000);
}

TEST_F(MetricsTest, WhatWasAskedAgainIsCountedByWho) {
  call.exchange.request.client_retry = 2;
  call.exchange.reask = true;
  call.attempt();
  call.attempt();
  worker.call_ended(call.exchange);
  other.call_ended(call.exchange);
  auto found = samples(page());
  EXPECT_EQ(found[R"(weir_reasks_total{route="support",task="billing",why="client_retry"})"], 2);
  EXPECT_EQ(found[R"(weir_reasks_total{route="support",task="billing",why="weir_retry"})"], 4);
  EXPECT_EQ(found[R"(weir_reasks_total{route="support",task="billing",why="appended"})"], 2);
  EXPECT_EQ(found[R"(weir_retry_budget_remaining{provider="openai"})"], 117);
  EXPECT_EQ(found[R"(weir_circuit_state{provider="openai"})"], 2);
}

TEST_F(MetricsTest, WhatTranslationLeftOutIsCountedByDialectsAndField) {
  call.attempt();
  call.exchange.request.dialect = Dialect::anthropic;
  call.exchange.dropped_fields = {"top_k", "other"};
  call.exchange.dropped_to = "openai_chat";
  worker.call_ended(call.exchange);
  other.call_ended(call.exchange);
  auto found = samples(page());
  EXPECT_EQ(found[R"(weir_translation_dropped_total{from="anthropic",to="openai_chat",field="top_k"})"], 2);
  EXPECT_EQ(found[R"(weir_translation_dropped_total{from="anthropic",to="openai_chat",field="other"})"], 2);
}

TEST_F(MetricsTest, TheDocumentationNamesEachMetricAndNoOther) {
  std::ifstream file{WEIR_SOURCE_DIR "/docs/metrics.md"};
  ASSERT_TRUE(file) << "docs/metrics.md";
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  std::set<std::string> documented;
  const std::regex heading{"\n### `(weir_[a-z_]+)"};
  for (std::sregex_iterator at{document.begin(), document.end(), heading}, end; at != end; ++at) {
    documented.insert((*at)[1]);
  }
  EXPECT_EQ(documented, names_on(page()));
}

TEST(SlotTable, FindsManySlotsByTheirBytes) {
  SlotTable<2, Counter> table{42};
  for (int i = 0; i < 2'000; ++i) {
    const std::string a = "label-" + std::to_string(i);
    EXPECT_EQ(table.find({a, "x"}), nullptr);
    table.add({a, "x"}, [](Counter&) {}).counters.add(static_cast<std::uint64_t>(i));
  }
  for (int i = 0; i < 2'000; ++i) {
    auto* slot = table.find({"label-" + std::to_string(i), "x"});
    ASSERT_NE(slot, nullptr);
    EXPECT_EQ(slot->counters.read(), static_cast<std::uint64_t>(i));
  }
  EXPECT_EQ(table.find({"label-1x", ""}), nullptr) << "labels do not run together";
}

}  // namespace
}  // namespace weir::telemetry
