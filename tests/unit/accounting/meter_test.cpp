#include "accounting/meter.hpp"

#include <gtest/gtest.h>

namespace weir::accounting {
namespace {

using namespace std::chrono_literals;

constexpr Price price(std::int64_t input, std::int64_t output) {
  return {
      {input * 1'000'000}, {output * 1'000'000}, {input * 500'000}, {input * 1'250'000}};  // thousandths of a dollar
}

catalogue::ModelFacts facts(std::string id, Price cost) {
  catalogue::ModelFacts model;
  model.id = std::move(id);
  model.price = cost;
  return model;
}

Usage reported(std::int64_t uncached, std::int64_t output) {
  Usage usage;
  usage.uncached = uncached;
  usage.output = output;
  usage.reported = true;
  return usage;
}

Ending failed(Failure failure, Phase phase, bool content_sent = false) {
  Ending ending;
  ending.failure = failure;
  ending.phase = phase;
  ending.content_sent = content_sent;
  return ending;
}

class MeterTest : public testing::Test {
 protected:
  MeterTest() {
    exchange.started = TimePoint{} + 1s;
    exchange.request.prompt_bytes = 4'000;
  }
  Attempt& attempt(Usage usage, Failure failure = Failure::none) {
    Attempt& made = exchange.attempts.emplace_back();
    made.usage = usage;
    made.failure = failure;
    made.may_have_been_billed = true;
    return made;
  }
  void book(const Ending& ending = {}) { Meter{&catalogue}.book(exchange, ending, exchange.started + 250ms); }

  catalogue::Catalogue catalogue{{facts("gpt-4o-mini", price(150, 600)), facts("gpt-4o", price(2500, 10000))}};
  Exchange exchange;
  Price own = price(1, 1), by_id = price(2, 2), by_name = price(3, 3);
};

TEST_F(MeterTest, Semantics19BooksReportedUsageAtTheReplyModelsPrice) {
  attempt(reported(1'000, 100)).reply_model = "gpt-4o-mini-2024-07-18";
  exchange.plan.target.id_price = &by_id;
  book();
  // 1000 × 0.15 / 1e6 + 100 × 0.60 / 1e6 = 0.00021 dollars
  EXPECT_EQ(exchange.cost.value, 210'000);
  EXPECT_EQ(exchange.wasted.value, 0);
  EXPECT_FALSE(exchange.attempts[0].wasted);
  EXPECT_TRUE(exchange.price_known);
  EXPECT_EQ(exchange.usage.uncached, 1'000);
  EXPECT_TRUE(exchange.usage.reported);
  EXPECT_FALSE(exchange.usage.estimated);
  EXPECT_EQ(exchange.outcome, Outcome::ok);
  EXPECT_EQ(exchange.status, 200);
  EXPECT_EQ(exchange.took, Duration{250ms});
}

TEST_F(MeterTest, TakesPricesInTheirOrder) {
  const Meter meter{&catalogue};
  Target target;
  EXPECT_EQ(meter.price_of(target, "nobody"), nullptr);
  target.name_price = &by_name;
  EXPECT_EQ(meter.price_of(target, "nobody"), &by_name);
  target.id_price = &by_id;
  EXPECT_EQ(meter.price_of(target, ""), &by_id);
  EXPECT_EQ(*meter.price_of(target, "gpt-4o-20240513"), price(2500, 10000));
  EXPECT_EQ(*meter.price_of(target, "gpt-4o"), price(2500, 10000));
  target.own_price = &own;
  EXPECT_EQ(meter.price_of(target, "gpt-4o"), &own);
  EXPECT_EQ(Meter{nullptr}.price_of(Target{}, "gpt-4o"), nullptr);
}

TEST_F(MeterTest, AnUnknownPriceCostsNothingAndIsSaid) {
  attempt(reported(1'000, 100)).reply_model = "home-made";
  book();
  EXPECT_EQ(exchange.cost.value, 0);
  EXPECT_FALSE(exchange.price_known);
  EXPECT_EQ(exchange.usage.uncached, 1'000);
}

TEST_F(MeterTest, EstimatesAnInterruptedStreamFromItsText) {
  Attempt& cut = attempt({}, Failure::upstream_protocol);
  cut.relayed_text_bytes = 401;
  cut.reply_model = "gpt-4o";
  book(failed(Failure::upstream_protocol, Phase::body, true));
  EXPECT_EQ(exchange.usage.uncached, 1'000);
  EXPECT_EQ(exchange.usage.output, 101);
  EXPECT_TRUE(exchange.usage.estimated);
  EXPECT_FALSE(exchange.usage.reported);
  EXPECT_TRUE(exchange.attempts[0].wasted);
  EXPECT_EQ(exchange.wasted.value, exchange.cost.value);
  EXPECT_GT(exchange.cost.value, 0);
  EXPECT_EQ(exchange.outcome, Outcome::cut);
  EXPECT_EQ(exchange.failure_phase, Phase::body);
}

TEST_F(MeterTest, WhatCannotHaveBeenBilledCostsNothing) {
  attempt({}, Failure::upstream_unreachable).may_have_been_billed = false;
  book(failed(Failure::upstream_unreachable, Phase::connect));
  EXPECT_EQ(exchange.usage, Usage{});
  EXPECT_TRUE(exchange.price_known);
  EXPECT_EQ(exchange.outcome, Outcome::upstream_error);
  EXPECT_EQ(exchange.status, 502);
}

TEST_F(MeterTest, ARawAnswerWithoutUsageIsNotGuessed) {
  exchange.raw = true;
  exchange.plan.target.own_price = &own;
  attempt({});
  book();
  EXPECT_EQ(exchange.usage, Usage{});
  EXPECT_FALSE(exchange.price_known);
}

TEST_F(MeterTest, AnEarlierAttemptIsWastedAndTheSumHoldsBoth) {
  exchange.plan.target.own_price = &own;
  attempt({}, Failure::upstream_timeout_first_byte);
  attempt(reported(900, 100));
  book();
  EXPECT_TRUE(exchange.attempts[0].wasted);
  EXPECT_FALSE(exchange.attempts[1].wasted);
  EXPECT_EQ(exchange.usage.uncached, 1'900);
  EXPECT_EQ(exchange.cost.value, exchange.attempts[0].cost.value + exchange.attempts[1].cost.value);
  EXPECT_EQ(exchange.wasted.value, exchange.attempts[0].cost.value);
}

TEST_F(MeterTest, AClientThatLeftIsItsOwnOutcomeAndGotNothing) {
  attempt(reported(900, 100));
  exchange.plan.target.own_price = &own;
  book(failed(Failure::client_left, Phase::body, true));
  EXPECT_EQ(exchange.outcome, Outcome::client_left);
  EXPECT_TRUE(exchange.attempts[0].wasted);
  EXPECT_EQ(exchange.status, 499);
}

TEST_F(MeterTest, StatusIsTheProvidersWhereTheTableSaysSo) {
  Ending ending = failed(Failure::client_content_policy, Phase::await_headers);
  ending.status = 422;
  book(ending);
  EXPECT_EQ(exchange.status, 422);
  EXPECT_EQ(exchange.outcome, Outcome::client_error);
}

TEST_F(MeterTest, AStatusThatTheClientGotStays) {
  exchange.status = 206;
  book();
  EXPECT_EQ(exchange.status, 206);
}

TEST_F(MeterTest, BookingTwiceChangesNothing) {
  exchange.plan.target.own_price = &own;
  attempt({}).relayed_text_bytes = 400;
  book();
  const auto cost = exchange.cost;
  book();
  EXPECT_EQ(exchange.cost, cost);
  EXPECT_EQ(exchange.usage.output, 100);
}

TEST_F(MeterTest, EachAttemptIsBookedAtItsOwnTargetsPrice) {
  Target dear, cheap;
  dear.own_price = &by_name;
  cheap.own_price = &own;
  exchange.attempts.reserve(2);
  attempt(reported(1'000, 0), Failure::upstream_protocol).target = &dear;
  attempt(reported(1'000, 0)).target = &cheap;
  exchange.plan.target = cheap;  // where the last one went
  book();
  EXPECT_EQ(exchange.attempts[0].cost.value, 3 * exchange.attempts[1].cost.value);
  EXPECT_EQ(exchange.wasted.value, exchange.attempts[0].cost.value);
  EXPECT_TRUE(exchange.attempts[0].wasted);
  EXPECT_FALSE(exchange.attempts[1].wasted);
}

}  // namespace
}  // namespace weir::accounting
