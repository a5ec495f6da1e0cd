#include "pipeline/retry/candidates.hpp"

#include "targets/places.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

namespace weir::pipeline {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow{1'000'000s};

class CandidatesTest : public testing::Test {
 protected:
  CandidatesTest() {
    for (const char* name : {"a", "b", "c"}) {
      Target target;
      target.provider_name = name;
      target.place = &places.place(name, "m", 1);
      targets.push_back(target);
    }
    steps = {PlanStep{std::span(targets).first(2), Fill::first}, PlanStep{std::span(targets).last(1), Fill::first}};
  }
  std::string next(std::uint64_t dice = 0, std::int64_t larger_than = 0, TimePoint now = kNow) {
    const auto choice = Candidates(exchange, steps).next(now, dice, larger_than);
    if (!choice) return "none";
    std::string text(choice->target->provider_name);
    if (choice->target->place->keys() > 1) text += std::to_string(choice->key);
    return text;
  }
  void tried(std::size_t which, Failure failure, std::uint32_t key = 0) {
    Attempt& attempt = exchange.attempts.emplace_back();
    attempt.target = &targets[which];
    attempt.key_index = key;
    attempt.failure = failure;
  }
  void ill(std::size_t which) {
    for (int i = 0; i < 20; ++i) targets[which].place->report(0, Failure::upstream_error, std::nullopt, false, kNow);
  }

  targets::Places places;
  std::vector<Target> targets;
  std::vector<PlanStep> steps;
  Exchange exchange;
};

TEST_F(CandidatesTest, AreTakenInTheirOrderEachOnce) {
  EXPECT_EQ(next(), "a");
  tried(0, Failure::upstream_error);
  EXPECT_EQ(next(), "b");
  tried(1, Failure::upstream_error);
  EXPECT_EQ(next(), "c");
  tried(2, Failure::upstream_error);
  EXPECT_EQ(next(), "none");
}

TEST_F(CandidatesTest, AnIllPlaceWaitsWhileAnotherIsLeft) {
  ill(0);
  EXPECT_EQ(next(), "b");
  ill(1);
  EXPECT_EQ(next(), "c");
  ill(2);
  EXPECT_EQ(next(), "a");                 // none is well: a call does not fail because of a guess
  EXPECT_EQ(next(0, 0, kNow + 1s), "a");  // half-open: it may try
}

TEST_F(CandidatesTest, WhereAllRestTheFirstToComeBackIsTaken) {
  targets[0].place->report(0, Failure::limit_rate, 30s, false, kNow);
  targets[1].place->report(0, Failure::limit_rate, 10s, false, kNow);
  targets[2].place->report(0, Failure::limit_rate, 20s, false, kNow);
  EXPECT_EQ(next(), "b");
}

TEST_F(CandidatesTest, AFullPlaceIsPassedOverAndNeverUsed) {
  targets[0].max_in_flight = 1;
  EXPECT_EQ(next(), "a");
  ASSERT_TRUE(targets[0].place->enter(1));
  EXPECT_EQ(next(), "b");
  ill(1);
  ill(2);
  EXPECT_EQ(next(), "b");
  for (Target& target : targets) target.max_in_flight = 1;
  ASSERT_TRUE(targets[1].place->enter(1) && targets[2].place->enter(1));
  EXPECT_EQ(next(), "none");
  EXPECT_TRUE(Candidates(exchange, steps).any_allowed());
}

TEST_F(CandidatesTest, ZonesAreAHardFilter) {
  const std::vector<std::string> onprem{"onprem"};
  exchange.plan.zones = &onprem;
  EXPECT_EQ(next(), "none");
  EXPECT_FALSE(Candidates(exchange, steps).any_allowed());
  targets[1].zone = "onprem";
  EXPECT_EQ(next(), "b");
  ill(1);
  EXPECT_EQ(next(), "b");  // under any fault
  tried(1, Failure::upstream_unreachable);
  EXPECT_EQ(next(), "none");
}

TEST_F(CandidatesTest, TheCallersZonesHoldBesideTheRoutes) {
  Caller caller;
  caller.zones = {"eu", "onprem"};
  exchange.caller = &caller;
  const std::vector<std::string> route{"eu", "us"};
  exchange.plan.zones = &route;
  targets[0].zone = "us";
  targets[1].zone = "onprem";
  EXPECT_EQ(next(), "none");
  targets[2].zone = "eu";
  EXPECT_EQ(next(), "c");
  caller.zones.clear();
  EXPECT_EQ(next(), "a");
}

TEST_F(CandidatesTest, ABiggerContextIsALargerKnownOne) {
  targets[0].context = 8'000;
  targets[1].context = 8'000;
  EXPECT_EQ(next(0, 8'000), "none");
  targets[2].context = 128'000;
  EXPECT_EQ(next(0, 8'000), "c");
}

TEST_F(CandidatesTest, AFailureOfTheKeyLeavesThePlacesOtherKeys) {
  targets[0].place = &places.place("a", "m", 2);
  EXPECT_EQ(next(), "a0");
  tried(0, Failure::limit_quota, 0);
  EXPECT_EQ(next(), "a1");
  tried(0, Failure::limit_rate, 1);
  EXPECT_EQ(next(), "b");
}

TEST_F(CandidatesTest, AFailureOfThePlaceIsThatOfAllItsKeys) {
  targets[0].place = &places.place("a", "m", 2);
  tried(0, Failure::upstream_unreachable, 0);
  EXPECT_EQ(next(), "b");
}

TEST_F(CandidatesTest, ByWeight) {
  steps = {PlanStep{targets, Fill::weight}};
  targets[0].weight = 7;
  targets[1].weight = 0;
  targets[2].weight = 3;
  std::map<std::string, int> chosen;
  for (std::uint64_t dice = 0; dice < 100; ++dice) ++chosen[next(dice)];
  EXPECT_EQ(chosen, (std::map<std::string, int>{{"a", 70}, {"c", 30}}));
  ill(0);
  EXPECT_EQ(next(0), "c");
  ill(2);
  EXPECT_EQ(next(0), "b");
}

TEST_F(CandidatesTest, ByLatencyOfTwo) {
  steps = {PlanStep{std::span(targets).first(2), Fill::latency}};
  targets[0].place->took(500ms, kNow);
  targets[1].place->took(5ms, kNow);
  for (std::uint64_t dice = 0; dice < 10; ++dice) EXPECT_EQ(next(dice), "b");
  // Calls under way count: the fast one is not run over.
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(targets[1].place->enter(0));
  EXPECT_EQ(next(), "a");
  EXPECT_TRUE(Candidates(exchange, steps).next(kNow, 0)->measured);
}

TEST_F(CandidatesTest, WithoutPlacesNothingIsKept) {
  Target plain;
  plain.provider_name = "plain";
  const PlanStep step{std::span(&plain, 1), Fill::first};
  const Candidates candidates(exchange, std::span(&step, 1));
  ASSERT_TRUE(candidates.next(kNow, 0));
  exchange.attempts.emplace_back().target = &plain;
  exchange.attempts.back().failure = Failure::upstream_error;
  EXPECT_FALSE(candidates.next(kNow, 0));
}

}  // namespace
}  // namespace weir::pipeline
