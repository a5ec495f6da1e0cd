#include "telemetry/traces.hpp"

#include "telemetry/telemetry.hpp"
#include "telemetry/trace_spans.hpp"
#include "unit/telemetry/call_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace weir::telemetry {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

bool wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 12'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

TraceAnswer taken() {
  TraceAnswer answer;
  answer.delivered = true;
  return answer;
}
TraceAnswer away(std::optional<std::chrono::seconds> wait = 0s) {
  TraceAnswer answer;
  answer.again = true;
  answer.wait = wait;
  answer.complaint = "connecting to c:4318: Connection refused";
  return answer;
}
TraceAnswer refused() {
  TraceAnswer answer;
  answer.complaint = "it answered 400";
  return answer;
}

/// Answers as told, keeps what came; can hold a post until the test lets it go.
class Collector {
 public:
  Traces::Send send() {
    return [this](std::string_view body, std::chrono::milliseconds) {
      std::unique_lock lock{mutex_};
      bodies.emplace_back(body);
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held; });
      if (answers.empty()) return always;
      TraceAnswer answer = answers.front();
      answers.pop_front();
      return answer;
    };
  }
  std::size_t posts() {
    std::lock_guard lock{mutex_};
    return bodies.size();
  }
  void hold(bool now) {
    std::lock_guard lock{mutex_};
    held = now;
    changed_.notify_all();
  }

  std::deque<TraceAnswer> answers;
  TraceAnswer always = taken();
  std::vector<std::string> bodies;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held = false;
};

SpanBuffer spans(std::uint64_t count, std::size_t size = 3) {
  SpanBuffer made;
  made.bytes.reset(new char[SpanBuffer::capacity]);
  std::memset(made.bytes.get(), ' ', size);
  std::memcpy(made.bytes.get(), "{},", 3);
  made.bytes[size - 1] = ',';
  if (size > 3) made.bytes[2] = ' ';
  made.used = size;
  made.spans = count;
  return made;
}

TEST(Traces, SendsWhatIsHandedOverAndCountsIt) {
  Collector collector;
  Traces traces(collector.send(), {}, 1ms);
  traces.exchange(spans(3));
  EXPECT_TRUE(wait_for([&] { return traces.exported() == 3; }));
  const json body = json::parse(collector.bodies.at(0));
  EXPECT_EQ(body["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"], "weir");
  EXPECT_EQ(body["resourceSpans"][0]["scopeSpans"][0]["spans"].size(), 1U);
  EXPECT_EQ(traces.dropped(), 0U);
}

TEST(Traces, SendsTheRestAtTheEnd) {
  Collector collector;
  Traces traces(collector.send(), {}, 1h);  // nothing but the end makes it send
  traces.exchange(spans(2));
  traces.exchange(spans(2));
  traces.stop();
  EXPECT_EQ(traces.exported(), 4U);
  EXPECT_EQ(collector.bodies.size(), 1U);
  traces.exchange(spans(1));
  EXPECT_EQ(traces.dropped(), 1U) << "who comes later is counted";
}

TEST(Traces, ACollectorThatIsAwayGetsTheSameSpansLaterAndIsComplainedOfOnce) {
  testing::internal::CaptureStderr();
  Collector collector;
  collector.answers = {away(), away(), away(), taken()};
  Traces traces(collector.send(), {.endpoint = "c:4318"}, 1ms);
  traces.exchange(spans(5));
  EXPECT_TRUE(wait_for([&] { return traces.exported() == 5; }));
  traces.stop();
  ASSERT_EQ(collector.bodies.size(), 4U);
  EXPECT_EQ(collector.bodies[3], collector.bodies[0]);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said,
              HasSubstr("traces.endpoint: cannot send spans to c:4318: connecting to c:4318: Connection refused"));
  EXPECT_EQ(said.find("cannot send"), said.rfind("cannot send"));
  EXPECT_THAT(said, HasSubstr("sending spans to c:4318 works again"));
  EXPECT_EQ(traces.dropped(), 0U);
}

TEST(Traces, WhatIsRefusedForGoodIsDropped) {
  Collector collector;
  collector.answers = {refused(), taken()};
  Traces traces(collector.send(), {}, 1ms);
  traces.exchange(spans(5));
  EXPECT_TRUE(wait_for([&] { return traces.dropped() == 5; }));
  traces.exchange(spans(2));
  EXPECT_TRUE(wait_for([&] { return traces.exported() == 2; }));
  EXPECT_EQ(collector.posts(), 2U);
}

TEST(Traces, PartialSuccessIsCountedOnBothSides) {
  Collector collector;
  TraceAnswer partial = taken();
  partial.rejected = 2;
  partial.complaint = "it rejected 2 spans";
  collector.answers = {partial};
  Traces traces(collector.send(), {}, 1ms);
  traces.exchange(spans(5));
  EXPECT_TRUE(wait_for([&] { return traces.exported() == 3 && traces.dropped() == 2; }));
  EXPECT_EQ(collector.posts(), 1U);
}

TEST(Traces, TheQueueHasABound) {
  Collector collector;
  collector.hold(true);
  Traces traces(collector.send(), {}, 1ms);
  constexpr std::uint64_t fit = Traces::waiting_bytes_max / SpanBuffer::capacity;
  for (std::uint64_t i = 0; i < fit + 10; ++i) traces.exchange(spans(1, SpanBuffer::capacity));
  EXPECT_EQ(traces.dropped(), 10U);
  collector.hold(false);
  EXPECT_TRUE(wait_for([&] { return traces.exported() == fit; }));
  for (const std::string& body : collector.bodies) EXPECT_LE(body.size(), Traces::batch_bytes_max + 1024);
  traces.exchange(spans(1));
  EXPECT_TRUE(wait_for([&] { return traces.exported() == fit + 1; })) << "there is room again";
}

TEST(Traces, TheEndDoesNotWaitForACollectorThatIsAway) {
  Collector collector;
  collector.always = away(60s);
  Traces traces(collector.send(), {}, 1s);
  traces.exchange(spans(5));
  EXPECT_TRUE(wait_for([&] { return collector.posts() == 1; }));
  traces.exchange(spans(7));
  traces.stop();
  EXPECT_EQ(traces.dropped(), 12U);
  EXPECT_EQ(collector.posts(), 2U) << "one last try of what was at hand, none of what waited behind it";
}

TEST(Traces, AnEndpointThatCannotBeUsedNamesTheSetting) {
  const auto opened = Traces::open({.endpoint = "ftp://x"});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("traces.endpoint: must begin with http"));
  const auto off = Traces::open({});
  ASSERT_TRUE(off);
  EXPECT_EQ(*off, nullptr);
}

TEST(Traces, WorkersTellOfSampledCallsOnly) {
  auto telemetry = *Telemetry::open({.to = "off"}, {}, 1, nullptr);
  EXPECT_EQ(telemetry->worker(0).trace_of(CallId{}, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            TraceContext{})
      << "off is off, whatever a client sends";

  Collector collector;
  Traces traces(collector.send(), {}, 1h);
  SeriesBudget budget;
  auto writer = *LogWriter::open("off");
  WorkerTelemetry worker(budget, {}, *writer, 7, &traces);
  for (const bool sampled : {true, false, true}) {
    BookedCall call;
    call.exchange.trace.span = 5;
    call.exchange.trace.sampled = sampled;
    worker.call_ended(call.exchange);
  }
  worker.tick();
  traces.stop();
  EXPECT_EQ(traces.exported(), 4U);
  const json body = json::parse(collector.bodies.at(0));
  EXPECT_EQ(body["resourceSpans"][0]["scopeSpans"][0]["spans"].size(), 4U);
}

TEST(Traces, ACallWithTooManyAttemptsIsDroppedWhole) {
  Collector collector;
  Traces traces(collector.send(), {}, 1h);
  SeriesBudget budget;
  auto writer = *LogWriter::open("off");
  WorkerTelemetry worker(budget, {}, *writer, 7, &traces);
  BookedCall call;
  call.exchange.trace.sampled = true;
  worker.call_ended(call.exchange);
  for (int i = 0; i < 100; ++i) call.attempt();
  worker.call_ended(call.exchange);
  call.exchange.attempts.resize(1);
  worker.call_ended(call.exchange);
  worker.tick();
  traces.stop();
  EXPECT_EQ(traces.dropped(), 102U);
  EXPECT_EQ(traces.exported(), 4U);
  EXPECT_TRUE(json::accept(collector.bodies.at(0)));
}

TEST(Traces, AWorkerHandsOverBeforeItsBufferIsFull) {
  Collector collector;
  Traces traces(collector.send(), {}, 1ms);
  SeriesBudget budget;
  auto writer = *LogWriter::open("off");
  WorkerTelemetry worker(budget, {}, *writer, 7, &traces);
  BookedCall call;
  call.exchange.trace.sampled = true;
  for (int i = 0; i < 5'000; ++i) worker.call_ended(call.exchange);
  worker.tick();
  EXPECT_TRUE(wait_for([&] { return traces.exported() + traces.dropped() == 10'000; }));
  for (const std::string& body : collector.bodies) EXPECT_TRUE(json::accept(body));
}

// Sampling.

CallId id_of(std::uint64_t seed) {
  Random random{seed};
  return CallId::make(1'763'701'567'123, random);
}

TEST(TraceSampler, ATraceThatBeginsHereHasTheCallsId) {
  const CallId id = id_of(3);
  const TraceContext trace = TraceSampler{1.0}.begin(id, "");
  const auto header = traceparent_of(trace, trace.span);
  std::string digits{id.text()};
  std::erase(digits, '-');
  EXPECT_EQ(std::string(header.data() + 3, 32), digits);
  EXPECT_EQ(trace.parent_span, 0U);
  EXPECT_NE(trace.span, 0U);
  EXPECT_TRUE(trace.sampled);
}

TEST(TraceSampler, TakesTheShareThatWasAskedFor) {
  for (const double share : {0.0, 0.01, 0.25, 0.5, 1.0}) {
    const TraceSampler sampler{share};
    int taken_calls = 0;
    constexpr int calls = 40'000;
    for (std::uint64_t i = 0; i < calls; ++i) taken_calls += sampler.begin(id_of(i), "").sampled;
    const double deviation = std::sqrt(calls * share * (1 - share));
    EXPECT_NEAR(taken_calls, share * calls, 4 * deviation) << share;
  }
}

TEST(TraceSampler, ALargerShareTakesAllThatASmallerOneTakes) {
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    if (TraceSampler{0.1}.begin(id_of(i), "").sampled) {
      EXPECT_TRUE(TraceSampler{0.2}.begin(id_of(i), "").sampled);
    }
  }
}

TEST(TraceSampler, TheClientsTraceAndFlagAreObeyed) {
  const std::string header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";
  const TraceContext taken_trace = TraceSampler{0.0}.begin(id_of(1), header + "1");
  EXPECT_TRUE(taken_trace.sampled);
  EXPECT_EQ(taken_trace.trace_high, 0x4bf92f3577b34da6U);
  EXPECT_EQ(taken_trace.parent_span, 0x00f067aa0ba902b7U);
  EXPECT_NE(taken_trace.span, 0U);
  EXPECT_FALSE(TraceSampler{1.0}.begin(id_of(1), header + "0").sampled);
  EXPECT_EQ(TraceSampler{1.0}.begin(id_of(1), "rubbish"), TraceSampler{1.0}.begin(id_of(1), ""));
}

// Answers.

constexpr std::int64_t kNow = 1'763'701'567'000;  // Fri, 21 Nov 2025 05:06:07 GMT

TEST(TraceAnswer, EveryStatusHasAMeaning) {
  for (unsigned status = 200; status < 600; ++status) {
    const TraceAnswer answer = read_answer(status, "{}", "", kNow);
    EXPECT_EQ(answer.delivered, status < 300) << status;
    EXPECT_EQ(answer.again, status == 429 || (status >= 502 && status <= 504)) << status;
    EXPECT_EQ(answer.complaint.empty(), status < 300) << status;
    EXPECT_FALSE(answer.wait) << status;
  }
}

TEST(TraceAnswer, RetryAfterIsSecondsOrADate) {
  const auto wait = [](std::string_view text) { return read_answer(503, "", text, kNow).wait; };
  EXPECT_EQ(wait("7"), 7s);
  EXPECT_EQ(wait("0"), 0s);
  EXPECT_EQ(wait("86400"), retry_after_max);
  EXPECT_EQ(wait("-5"), 0s);
  EXPECT_EQ(wait("Fri, 21 Nov 2025 05:06:17 GMT"), 10s);
  EXPECT_EQ(wait("Fri, 21 Nov 2025 05:00:00 GMT"), 0s);
  EXPECT_EQ(wait("Fri, 21 Nov 2035 05:00:00 GMT"), retry_after_max);
  for (const char* bad : {"", "soon", "7 s", "99999999999999999999", "Fri, 21"}) EXPECT_FALSE(wait(bad)) << bad;
  EXPECT_FALSE(read_answer(400, "", "7", kNow).wait);
}

TEST(TraceAnswer, PartialSuccess) {
  const auto read = [](std::string_view body) { return read_answer(200, body, "", kNow); };
  const TraceAnswer some = read(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})");
  EXPECT_TRUE(some.delivered);
  EXPECT_EQ(some.rejected, 3U);
  EXPECT_EQ(some.complaint, "it rejected 3 spans: too old");
  EXPECT_EQ(read(R"({"partialSuccess":{"rejectedSpans":4}})").rejected, 4U);
  EXPECT_LT(read(R"({"partialSuccess":{"rejectedSpans":1,"errorMessage":")" + std::string(5'000, 'x') + "\"}}")
                .complaint.size(),
            300U);
  for (const char* nothing :
       {"", "{}", "[]", "rubbish", R"({"partialSuccess":null})", R"({"partialSuccess":{}})",
        R"({"partialSuccess":{"rejectedSpans":"0","errorMessage":"a warning"}})",
        R"({"partialSuccess":{"rejectedSpans":-1}})", R"({"partialSuccess":{"rejectedSpans":{},"errorMessage":7}})"}) {
    const TraceAnswer answer = read(nothing);
    EXPECT_TRUE(answer.delivered) << nothing;
    EXPECT_EQ(answer.rejected, 0U) << nothing;
    EXPECT_TRUE(answer.complaint.empty()) << nothing;
  }
}

TEST(TraceAnswer, BackoffGrowsUpToHalfAMinute) {
  EXPECT_EQ(backoff(0, 0), 500ms);
  EXPECT_EQ(backoff(0, 500), 1000ms);
  EXPECT_EQ(backoff(3, 0), 4000ms);
  EXPECT_EQ(backoff(1'000'000, 0), 15s);
  for (std::uint64_t dice = 0; dice < 100'000; dice += 997) {
    EXPECT_LE(backoff(50, dice), 30s);
    EXPECT_GE(backoff(50, dice), 15s);
  }
}

}  // namespace
}  // namespace weir::telemetry
