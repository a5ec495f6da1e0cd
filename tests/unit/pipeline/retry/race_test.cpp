#include "pipeline/retry/race.hpp"

#include "fakes/recording_sink.hpp"
#include "fakes/turned_worker.hpp"
#include "pipeline/retry/retry_stage.hpp"
#include "targets/places.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace weir::pipeline {
namespace {

using namespace std::chrono_literals;

/// Answers when the test lets it, or ends when it is broken off.
class Paced final : public Provider, private Interruptible {
 public:
  explicit Paced(std::string text) : text_(std::move(text)) {}

  awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink& reply) override {
    ++sent;
    Interrupt& interrupt = call.exchange.interrupt;
    attempt.may_have_been_billed = true;
    patched_to = call.exchange.patch.empty() ? "" : call.exchange.patch.begin()->replacement;
    const Interrupt::Scope scope(interrupt, *this);
    if (!co_await wait_for(begins, interrupt)) co_return broken(interrupt);
    if (throws) throw std::runtime_error("a bug");
    Ending ending;
    ending.failure = failure;
    ending.phase = Phase::await_headers;
    if (failure != Failure::none) co_return ending;
    attempt.provider_status = 200;
    ReplyHead head;
    head.event_stream = call.exchange.request.stream;
    head.content_type = text_;
    reply.head(head);
    if (!call.exchange.request.stream) {
      Buffer body;
      body.append(text_);
      reply.whole(std::move(body));
      co_return Ending{};
    }
    reply.event(text_);
    if (flushes && co_await reply.flush() == Flow::stop) {
      interrupt.fire(InterruptReason::client_left);
      co_return broken(interrupt);
    }
    if (!co_await wait_for(ends, interrupt)) co_return broken(interrupt);
    reply.usage_event("{}", 1);
    reply.event(" end");
    co_return Ending{};
  }
  void begin() {
    begins = true;
    changed_->notify();
  }
  void end() {
    ends = true;
    changed_->notify();
  }

  void forget() { std::exchange(changed_, std::make_unique<net::Event>()).reset(); }

  int sent = 0;
  bool begins = false;
  bool ends = true;
  bool flushes = true;
  bool throws = false;
  Failure failure = Failure::none;
  InterruptReason broken_by = InterruptReason::none;
  std::string patched_to;

 private:
  awaitable<bool> wait_for(const bool& what, const Interrupt& interrupt) {
    while (!what && !interrupt.fired()) co_await changed_->wait();
    co_return !interrupt.fired();
  }
  Ending broken(const Interrupt& interrupt) {
    broken_by = interrupt.reason();
    Ending ending;
    ending.failure = broken_by == InterruptReason::client_left ? Failure::client_left : Failure::upstream_timeout_total;
    ending.phase = Phase::await_headers;
    return ending;
  }
  void interrupt() override { changed_->notify(); }

  std::string text_;
  std::unique_ptr<net::Event> changed_ = std::make_unique<net::Event>();
};

class Body final : public AddressedBody {
 public:
  Patch patch_for(std::string_view upstream_model) const override {
    Patch patch;
    patch.replace(0, 1, std::string(upstream_model));
    return patch;
  }
};

class RaceTest : public testing::TestWithParam<bool> {
 protected:
  RaceTest() {
    two[0] = target("a", first);
    two[1] = target("b", second);
    step = {two, Fill::first};
    exchange.plan.target = two[0];
    exchange.plan.steps = std::span(&step, 1);
    exchange.plan.hedge = NanoDollars{10'000'000};
    exchange.started = Clock::now();
    exchange.request.addressed = &body;
    exchange.request.stream = streamed();
    for (int i = 0; i < 50; ++i) {
      for (const auto awaited : {targets::Awaited::stream, targets::Awaited::whole})
        times.record("a", "m", 0, 40s, awaited);
    }
  }
  static bool streamed() {
    const auto* const info = testing::UnitTest::GetInstance()->current_test_info();
    return info->value_param() != nullptr && GetParam();
  }
  Target target(std::string_view name, Provider& provider) {
    Target made;
    made.provider = &provider;
    made.provider_name = name;
    made.model = "m";
    made.upstream_model = name;
    made.place = &places.place(name, "m", 1);
    return made;
  }
  void start() { worker.start(stage.call(exchange, sink), ending); }
  void pass(Duration time) {
    worker.skip(time);
    worker.settle();
  }
  Ending finish() {
    worker.until([&] { return ending.has_value(); });
    return *ending;
  }
  void expect_attempts(std::string_view other, Failure why, std::string_view last, Failure how = Failure::none) {
    ASSERT_EQ(exchange.attempts.size(), 2U);
    EXPECT_EQ(exchange.attempts[0].provider, other);
    EXPECT_EQ(exchange.attempts[0].failure, why);
    EXPECT_TRUE(exchange.attempts[0].may_have_been_billed);
    EXPECT_EQ(exchange.attempts[1].provider, last);
    EXPECT_EQ(exchange.attempts[1].failure, how);
    EXPECT_EQ(exchange.plan.target.provider_name, last);
  }

  fakes::TurnedWorker worker;
  targets::Places places;
  targets::FirstByteTimes times;
  RetrySettings settings;
  RetryStage stage{*worker, settings, times};
  Paced first{"from a"}, second{"from b"};
  std::array<Target, 2> two;
  PlanStep step;
  Body body;
  Exchange exchange;
  fakes::RecordingSink sink;
  std::optional<Ending> ending;
};
using RaceOnceTest = RaceTest;
INSTANTIATE_TEST_SUITE_P(Both, RaceTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "stream" : "whole"; });

TEST_P(RaceTest, ASlowFirstIsOutrunByTheSecondAndBrokenOff) {
  start();
  pass(20s);
  EXPECT_EQ(second.sent, 0) << "not before the p95";
  pass(70s);
  EXPECT_EQ(second.sent, 1);
  EXPECT_EQ(first.patched_to, "a");
  EXPECT_EQ(second.patched_to, "b");
  second.begin();
  EXPECT_TRUE(finish().ok());
  EXPECT_EQ(first.broken_by, InterruptReason::outrun);
  EXPECT_EQ(sink.body, GetParam() ? "from b{} end" : "from b");
  EXPECT_EQ(sink.usage_events, GetParam() ? 1U : 0U);
  EXPECT_EQ(sink.content_type, "from b");
  expect_attempts("a", Failure::gateway_outrun, "b");
  EXPECT_EQ(places.place("a", "m", 1).circuit(0, Clock::now()), targets::CircuitBreaker::State::closed);
}

TEST_P(RaceTest, TheFirstMayStillWin) {
  start();
  pass(90s);
  first.begin();
  EXPECT_TRUE(finish().ok());
  EXPECT_EQ(second.broken_by, InterruptReason::outrun);
  EXPECT_EQ(sink.body, GetParam() ? "from a{} end" : "from a");
  expect_attempts("b", Failure::gateway_outrun, "a");
}

TEST_P(RaceTest, WhatFailsLeavesTheAnswerToTheOther) {
  start();
  pass(90s);
  first.failure = Failure::upstream_error;
  first.begin();
  worker.settle();
  EXPECT_FALSE(ending);
  second.begin();
  EXPECT_TRUE(finish().ok());
  expect_attempts("a", Failure::upstream_error, "b");
}

TEST_P(RaceTest, BothMayFailAndNothingFollowsWhatWasPaidTwice) {
  start();
  pass(90s);
  second.failure = Failure::upstream_overloaded;
  second.begin();
  worker.settle();
  EXPECT_FALSE(ending);
  first.failure = Failure::upstream_error;
  first.begin();
  EXPECT_EQ(finish().failure, Failure::upstream_error);
  expect_attempts("b", Failure::upstream_overloaded, "a", Failure::upstream_error);
  EXPECT_EQ(first.sent + second.sent, 2);
}

TEST_P(RaceTest, AClientThatLeavesEndsBoth) {
  start();
  pass(90s);
  exchange.interrupt.fire(InterruptReason::client_left);
  EXPECT_EQ(finish().failure, Failure::client_left);
  EXPECT_EQ(first.broken_by, InterruptReason::client_left);
  EXPECT_EQ(second.broken_by, InterruptReason::client_left);
  EXPECT_EQ(sink.heads, 0U);
  EXPECT_EQ(exchange.attempts.size(), 2U);
}

TEST_P(RaceTest, AFastFirstIsAlone) {
  first.begins = true;
  start();
  EXPECT_TRUE(finish().ok());
  pass(90s);
  EXPECT_EQ(second.sent, 0);
  EXPECT_EQ(exchange.attempts.size(), 1U);
}

TEST_P(RaceTest, WhatIsNotWantedOrNotAffordableIsNotStarted) {
  const Price dear{NanoDollars{1}, NanoDollars{100'000'000'000}, NanoDollars{1}, NanoDollars{1}};
  struct Case {
    const char* what;
    std::function<void()> make;
  };
  const std::array cases{
      Case{"off", [this] { exchange.plan.hedge.reset(); }},
      Case{"dear", [&] { two[1].own_price = &dear; }},
      Case{"one place", [this] { step.places = step.places.first(1); }},
      Case{"one attempt", [this] { exchange.plan.retry.attempts = 1; }},
      Case{"raw", [this] { exchange.raw = true; }},
      Case{"unknown times", [this] { times = {}; }},
      Case{"full",
           [this] {
             two[1].max_in_flight = 1;
             EXPECT_TRUE(two[1].place->enter(1));
           }},
      Case{"no budget",
           [this] {
             for (int i = 0; i < 100; ++i) two[1].place->provider().budget.try_spend(second_of(Clock::now()), 0);
           }},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    exchange.plan.hedge = NanoDollars{10'000'000};
    exchange.plan.retry = {};
    exchange.raw = false;
    exchange.attempts.clear();
    step = {two, Fill::first};
    two[1].own_price = nullptr;
    two[1].max_in_flight = 0;
    const targets::FirstByteTimes known = times;
    first.begins = false;
    sink = {};
    ending.reset();
    one.make();
    start();
    pass(90s);
    EXPECT_EQ(second.sent, 0);
    first.begin();
    EXPECT_TRUE(finish().ok());
    EXPECT_EQ(exchange.attempts.size(), 1U);
    times = known;
  }
}

TEST_P(RaceTest, AFailureOfTheFirstBeforeTheSecondBeganIsRetriedAsEver) {
  first.begins = second.begins = true;
  first.failure = Failure::upstream_overloaded;
  start();
  EXPECT_TRUE(finish().ok());
  EXPECT_EQ(sink.body, GetParam() ? "from b{} end" : "from b");
  EXPECT_EQ(exchange.attempts.size(), 2U);
}

TEST_P(RaceTest, AnExceptionOfTheLoserIsNobodys) {
  start();
  pass(90s);
  first.throws = true;
  first.begin();
  worker.settle();
  second.begin();
  EXPECT_TRUE(finish().ok());
  expect_attempts("a", Failure::gateway_bug, "b");
}

TEST_F(RaceOnceTest, AfterTheFirstContentNothingElseStarts) {
  exchange.request.stream = true;
  first.begins = true;
  first.ends = false;
  start();
  pass(90s);
  EXPECT_EQ(second.sent, 0);
  EXPECT_EQ(sink.body, "from a");
  EXPECT_EQ(sink.flushes, 1U);
  first.end();
  EXPECT_TRUE(finish().ok());
  EXPECT_EQ(sink.body, "from a{} end");
}

TEST_F(RaceOnceTest, AStreamThatCameWholeHasItsUsageInItsPlace) {
  exchange.request.stream = true;
  first.begins = true;
  first.flushes = false;
  start();
  EXPECT_TRUE(finish().ok());
  EXPECT_EQ(sink.body, "from a{} end");
  EXPECT_EQ(sink.usage_events, 1U);
}

TEST_F(RaceOnceTest, AClientThatLeavesTheWinnersStreamHasLeftTheCall) {
  exchange.request.stream = true;
  sink.flushes_max = 0;
  start();
  pass(90s);
  second.begin();
  EXPECT_EQ(finish().failure, Failure::client_left);
  EXPECT_TRUE(exchange.interrupt.over());
  expect_attempts("a", Failure::gateway_outrun, "b", Failure::client_left);
}

TEST_F(RaceOnceTest, AWorkerMayEndWhileBothRun) {
  std::optional<fakes::TurnedWorker> short_lived(std::in_place);
  RetryStage other(**short_lived, settings, times);
  short_lived->start(other.call(exchange, sink), ending);
  short_lived->skip(90s);
  short_lived->settle();
  EXPECT_EQ(second.sent, 1);
  first.forget();
  second.forget();
  short_lived.reset();
  EXPECT_FALSE(ending);
}

TEST_F(RaceOnceTest, AnOutrunFirstIsRememberedAsSlow) {
  const auto before = *times.p95("a", "m", 0, targets::Awaited::whole);
  for (int i = 0; i < 20; ++i) {
    sink = {};
    ending.reset();
    exchange.attempts.clear();
    first.begins = second.begins = false;
    start();
    std::this_thread::sleep_for(2ms);
    pass(before * 3);
    second.begin();
    EXPECT_TRUE(finish().ok());
  }
  EXPECT_GE(*times.p95("a", "m", 0, targets::Awaited::whole), before);
}

}  // namespace
}  // namespace weir::pipeline
