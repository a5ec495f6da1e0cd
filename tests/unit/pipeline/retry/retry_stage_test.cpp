#include "pipeline/retry/retry_stage.hpp"

#include "fakes/recording_sink.hpp"
#include "fakes/turned_worker.hpp"
#include "targets/places.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace weir::pipeline {
namespace {

using namespace std::chrono_literals;

/// Ends each attempt as its script says; good when the script is at its end.
class Scripted final : public Provider {
 public:
  awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink&) override {
    ++sent;
    seen_patch = call.exchange.patch.size();
    seen_model = call.target.upstream_model;
    seen_limits = call.target.time_limits;
    keys.push_back(attempt.key_index);
    EXPECT_NE(attempt.started, TimePoint{});
    EXPECT_EQ(&attempt, &call.exchange.attempts.back());
    EXPECT_FALSE(call.exchange.interrupt.fired());
    attempt.may_have_been_billed = billed;
    if (leaves) call.exchange.interrupt.fire(InterruptReason::client_left);
    if (script.empty()) {
      attempt.provider_status = 200;
      co_return Ending{};
    }
    Ending ending = script.front();
    script.pop_front();
    attempt.provider_status = status;
    if (ending.failure == Failure::upstream_timeout_first_byte) {
      call.exchange.interrupt.fire(InterruptReason::timeout_first_byte);
    }
    co_return ending;
  }
  void fails(Failure failure, int times = 1) {
    Ending ending;
    ending.failure = failure;
    ending.phase = Phase::await_headers;
    ending.message = "as the provider said";
    for (int i = 0; i < times; ++i) script.push_back(ending);
  }

  std::deque<Ending> script;
  std::uint16_t status = 0;
  bool billed = false;
  bool leaves = false;
  int sent = 0;
  std::size_t seen_patch = 0;
  std::string seen_model;
  TimeLimits seen_limits;
  std::vector<std::uint32_t> keys;
};

class Body final : public AddressedBody {
 public:
  Patch patch_for(std::string_view upstream_model) const override {
    Patch patch;
    patch.replace(0, 1, std::string(upstream_model));
    return patch;
  }
};

class RetryStageTest : public testing::Test {
 protected:
  RetryStageTest() {
    settings.backoff_base = 1ms;
    two[0] = target("openai", "gpt-4o-mini", first);
    two[1] = target("local", "llama", second);
    exchange.plan.target = two[0];
    exchange.started = Clock::now();
  }
  Target target(std::string_view name, std::string_view upstream_model, Provider& provider) {
    Target made;
    made.provider = &provider;
    made.provider_name = name;
    made.model = "fast";
    made.upstream_model = upstream_model;
    made.place = &places.place(name, upstream_model, 1);
    return made;
  }
  void with_both() {
    step = {two, Fill::first};
    exchange.plan.steps = std::span(&step, 1);
  }
  Ending call() {
    RetryStage stage(*worker, settings, times);
    return worker.run(stage.call(exchange, sink));
  }

  fakes::TurnedWorker worker;
  targets::Places places;
  targets::FirstByteTimes times;
  RetrySettings settings;
  Scripted first, second;
  std::array<Target, 2> two;
  PlanStep step;
  Exchange exchange;
  fakes::RecordingSink sink;
};

TEST_F(RetryStageTest, OneAttemptIsMadeAndWrittenDown) {
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.sent, 1);
  ASSERT_EQ(exchange.attempts.size(), 1U);
  EXPECT_EQ(exchange.attempts[0].provider, "openai");
  EXPECT_EQ(exchange.attempts[0].model, "fast");
  EXPECT_EQ(exchange.attempts[0].failure, Failure::none);
  EXPECT_EQ(exchange.attempts[0].phase, Phase::none);
  EXPECT_EQ(exchange.attempts[0].provider_status, 200);
}

TEST_F(RetryStageTest, AFailureThatIsFinalIsWrittenDownAndNotPaidTwice) {
  for (const FailureRow& row : kFailures) {
    if (row.failure == Failure::none || row.same_place) continue;
    exchange.attempts.clear();
    exchange.interrupt.clear();
    first.sent = 0;
    first.script.clear();
    first.fails(row.failure);
    const Ending ending = call();
    EXPECT_EQ(first.sent, 1) << row.name;
    EXPECT_EQ(ending.failure, row.failure);
    EXPECT_EQ(ending.message, "as the provider said");
    ASSERT_EQ(exchange.attempts.size(), 1U);
    EXPECT_EQ(exchange.attempts[0].failure, row.failure);
    EXPECT_EQ(exchange.attempts[0].phase, Phase::await_headers);
  }
}

TEST_F(RetryStageTest, AFastFailureIsTriedAgainAtTheSamePlace) {
  first.fails(Failure::upstream_overloaded, 2);
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.sent, 3);
  ASSERT_EQ(exchange.attempts.size(), 3U);
  EXPECT_EQ(exchange.attempts[1].failure, Failure::upstream_overloaded);
  EXPECT_EQ(exchange.attempts[2].failure, Failure::none);
}

TEST_F(RetryStageTest, NotMoreOftenThanTheLimit) {
  first.fails(Failure::upstream_overloaded, 5);
  EXPECT_EQ(call().failure, Failure::upstream_overloaded);
  EXPECT_EQ(first.sent, 3);
  exchange.attempts.clear();
  exchange.plan.retry.attempts = 1;
  EXPECT_EQ(call().failure, Failure::upstream_overloaded);
  EXPECT_EQ(first.sent, 4);
}

TEST_F(RetryStageTest, TheNextPlaceTakesOver) {
  with_both();
  first.fails(Failure::upstream_error);
  const Body body;
  exchange.request.addressed = &body;
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.sent, 1);
  EXPECT_EQ(second.sent, 1);
  EXPECT_EQ(exchange.plan.target.provider_name, "local");
  EXPECT_EQ(exchange.attempts[1].target, &two[1]);
  EXPECT_EQ(second.seen_model, "llama");
  EXPECT_EQ(exchange.patch.begin()->replacement, "llama");
}

TEST_F(RetryStageTest, AfterATimeoutTheNextAttemptIsNotInterrupted) {
  with_both();
  first.fails(Failure::upstream_timeout_first_byte);
  first.billed = true;
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(second.sent, 1);
}

TEST_F(RetryStageTest, ADearResendIsNotMade) {
  with_both();
  const Price dear{{1'000'000'000'000}, {1'000'000'000'000}, {}, {}};
  two[1].own_price = &dear;
  first.fails(Failure::upstream_timeout_first_byte);
  first.billed = true;
  EXPECT_EQ(call().failure, Failure::upstream_timeout_first_byte);
  EXPECT_EQ(second.sent, 0);
}

TEST_F(RetryStageTest, NothingAfterContent) {
  with_both();
  first.fails(Failure::upstream_protocol);
  first.script.front().content_sent = true;
  EXPECT_EQ(call().failure, Failure::upstream_protocol);
  EXPECT_EQ(second.sent, 0);
}

TEST_F(RetryStageTest, NothingForAClientThatLeft) {
  with_both();
  first.leaves = true;
  first.fails(Failure::upstream_error);
  EXPECT_EQ(call().failure, Failure::upstream_error);
  EXPECT_EQ(second.sent, 0);
}

TEST_F(RetryStageTest, TheClientsLeavingEndsAWaitAtOnce) {
  settings.backoff_cap = 1h;
  first.fails(Failure::limit_rate);
  first.script.front().back_in = 60s;
  RetryStage stage(*worker, settings, times);
  std::optional<Ending> ending;
  worker.start(stage.call(exchange, sink), ending);
  EXPECT_FALSE(ending);
  exchange.interrupt.fire(InterruptReason::client_left);
  worker.until([&] { return ending.has_value(); });
  EXPECT_EQ(ending->failure, Failure::client_left);
  EXPECT_EQ(first.sent, 1);
}

TEST_F(RetryStageTest, ASpentBudgetEndsWithTheLastFailure) {
  settings.budget_basis_points = 0;
  auto& budget = places.provider("openai").budget;
  const auto second_now = std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.try_spend(second_now, 0));
  first.fails(Failure::upstream_overloaded);
  EXPECT_EQ(call().failure, Failure::upstream_overloaded);
  EXPECT_EQ(first.sent, 1);
}

TEST_F(RetryStageTest, AnotherKeyTakesOverFromASpentOne) {
  two[0].place = &places.place("keys", "m", 3);
  with_both();
  first.fails(Failure::limit_quota);
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.keys, (std::vector<std::uint32_t>{0, 1}));
  exchange.attempts.clear();
  EXPECT_TRUE(call().ok());
  exchange.attempts.clear();
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.keys, (std::vector<std::uint32_t>{0, 1, 2, 1}));  // the spent one rests
}

TEST_F(RetryStageTest, AFullPlaceIsNoAttempt) {
  two[0].max_in_flight = 1;
  with_both();
  ASSERT_TRUE(two[0].place->enter(1));
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.sent, 0);
  ASSERT_EQ(exchange.attempts.size(), 1U);
  two[1].max_in_flight = 1;
  ASSERT_TRUE(two[1].place->enter(1));
  exchange.attempts.clear();
  const Ending ending = call();
  EXPECT_EQ(ending.failure, Failure::gateway_busy);
  EXPECT_EQ(ending.code, "no_free_place");
  two[0].place->leave();
  EXPECT_TRUE(call().ok());
  EXPECT_FALSE(two[0].place->full(1));
}

TEST_F(RetryStageTest, NoPlaceInTheZonesIsARefusal) {
  const std::vector<std::string> zones{"onprem"};
  exchange.plan.zones = &zones;
  const Ending ending = call();
  EXPECT_EQ(ending.status, 403);
  EXPECT_EQ(ending.code, "zone_not_allowed");
  EXPECT_TRUE(exchange.attempts.empty());
}

TEST_F(RetryStageTest, AllAttemptsShareOneDeadline) {
  exchange.plan.deadline = 30s;
  EXPECT_TRUE(call().ok());
  EXPECT_LE(first.seen_limits.total, 30s);
  EXPECT_GT(first.seen_limits.total, 25s);
}

TEST_F(RetryStageTest, TheSdksTimeoutShortensTheCall) {
  const std::array fields{HeaderField{"x-stainless-read-timeout", "7.5"}};
  exchange.request.headers = fields;
  EXPECT_TRUE(call().ok());
  EXPECT_LE(first.seen_limits.total, 7500ms);
  EXPECT_EQ(first.seen_limits.first_byte, 0ms);
  // Of a stream it is between two reads: the first byte has to come by then, the rest may take its time.
  exchange.attempts.clear();
  exchange.plan.target = two[0];
  exchange.request.stream = true;
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.seen_limits.first_byte, 7500ms);
  EXPECT_GT(first.seen_limits.total, 500s);
}

TEST_F(RetryStageTest, ARawPostIsNotRepeatedOnceItMayHaveArrived) {
  with_both();
  exchange.raw = true;
  exchange.request.method = "POST";
  first.fails(Failure::upstream_error);
  first.billed = true;
  EXPECT_EQ(call().failure, Failure::upstream_error);
  EXPECT_EQ(second.sent, 0);
  exchange.attempts.clear();
  first.billed = false;
  first.fails(Failure::upstream_unreachable);
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(second.sent, 1);
}

TEST_F(RetryStageTest, TheBodyIsAddressedToTheTarget) {
  const Body body;
  exchange.request.addressed = &body;
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.seen_patch, 1U);
  EXPECT_EQ(first.seen_model, "gpt-4o-mini");
  EXPECT_EQ(exchange.patch.begin()->replacement, "gpt-4o-mini");
}

TEST_F(RetryStageTest, WithoutADialectTheBodyGoesAsItIs) {
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(first.seen_patch, 0U);
}

}  // namespace
}  // namespace weir::pipeline
