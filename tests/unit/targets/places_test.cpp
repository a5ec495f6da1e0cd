#include "targets/places.hpp"

#include <gtest/gtest.h>

namespace weir::targets {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1'000'000s};

const auto any = [](std::size_t) { return true; };

TEST(Places, TheSameNamesAreTheSamePlace) {
  Places places;
  Place& one = places.place("openai", "gpt-4o", 2);
  EXPECT_EQ(&one, &places.place("openai", "gpt-4o", 2));
  EXPECT_NE(&one, &places.place("openai", "gpt-4o", 1));
  EXPECT_NE(&one, &places.place("openai", "gpt-4o-mini", 2));
  EXPECT_NE(&one, &places.place("azure", "gpt-4o", 2));
  EXPECT_EQ(&one.provider(), &places.provider("openai"));
}

TEST(Places, KeysTakeTurns) {
  Places places;
  Place& place = places.place("openai", "gpt-4o", 3);
  EXPECT_EQ(place.next_key(kStart, any), 0U);
  EXPECT_EQ(place.next_key(kStart, any), 1U);
  EXPECT_EQ(place.next_key(kStart, any), 2U);
  EXPECT_EQ(place.next_key(kStart, any), 0U);
}

TEST(Places, A429CoolsTheKeysUseOfThisModelOnly) {
  Places places;
  Place& place = places.place("openai", "gpt-4o", 2);
  Place& other = places.place("openai", "gpt-4o-mini", 2);
  place.report(0, Failure::limit_rate, 20s, false, kStart);
  EXPECT_FALSE(place.healthy(0, kStart + 19s));
  EXPECT_TRUE(place.healthy(0, kStart + 20s));
  EXPECT_TRUE(place.healthy(1, kStart));
  EXPECT_TRUE(other.healthy(0, kStart));
  EXPECT_EQ(place.back_at(0), kStart + 20s);
}

TEST(Places, A429WithoutATimeCoolsForASecond) {
  Places places;
  Place& place = places.place("openai", "gpt-4o", 1);
  place.report(0, Failure::limit_rate, std::nullopt, false, kStart);
  EXPECT_FALSE(place.healthy(0, kStart + 999ms));
  EXPECT_TRUE(place.healthy(0, kStart + 1s));
}

TEST(Places, ASpentOrRefusedKeyRestsForAllModels) {
  for (const Failure failure : {Failure::limit_quota, Failure::upstream_credentials}) {
    Places places;
    Place& place = places.place("openai", "gpt-4o", 2);
    Place& other = places.place("openai", "gpt-4o-mini", 2);
    Place& elsewhere = places.place("azure", "gpt-4o", 2);
    place.report(1, failure, std::nullopt, false, kStart);
    EXPECT_FALSE(place.healthy(1, kStart + 59s));
    EXPECT_FALSE(other.healthy(1, kStart + 59s));
    EXPECT_TRUE(other.healthy(0, kStart));
    EXPECT_TRUE(elsewhere.healthy(1, kStart));
    EXPECT_TRUE(place.healthy(1, kStart + 60s));
  }
}

TEST(Places, NoWordOfAProviderKeepsAPlaceAwayForEver) {
  Places places;
  Place& place = places.place("openai", "gpt-4o", 1);
  place.report(0, Failure::limit_rate, 24h, false, kStart);
  EXPECT_TRUE(place.healthy(0, kStart + 10min));
}

TEST(Places, TheClientsOwnFaultsDoNotOpenTheCircuit) {
  for (const FailureRow& row : kFailures) {
    if (row.provider_fault) continue;
    Places places;
    Place& place = places.place("openai", "gpt-4o", 1);
    for (int i = 0; i < 100; ++i) place.report(0, row.failure, std::nullopt, false, kStart);
    EXPECT_EQ(place.circuit(0, kStart), CircuitBreaker::State::closed) << row.name;
  }
}

TEST(Places, TheProvidersFaultsDo) {
  for (const FailureRow& row : kFailures) {
    if (!row.provider_fault) continue;
    Places places;
    Place& place = places.place("openai", "gpt-4o", 1);
    for (int i = 0; i < 20; ++i) place.report(0, row.failure, std::nullopt, false, kStart);
    EXPECT_EQ(place.circuit(0, kStart), CircuitBreaker::State::open) << row.name;
    EXPECT_FALSE(place.healthy(0, kStart));
    ASSERT_EQ(places.look(kStart, 1000).size(), 1U);
    EXPECT_EQ(places.look(kStart, 1000)[0].circuit, CircuitBreaker::State::open);
  }
}

TEST(Places, NoMoreCallsThanItsBound) {
  Places places;
  Place& place = places.place("local", "llama", 1);
  EXPECT_TRUE(place.enter(2));
  EXPECT_FALSE(place.full(2));
  EXPECT_TRUE(place.enter(2));
  EXPECT_TRUE(place.full(2));
  EXPECT_FALSE(place.enter(2));
  place.leave();
  EXPECT_TRUE(place.enter(2));
  EXPECT_TRUE(place.enter(0));  // no bound
  EXPECT_FALSE(place.full(0));
}

TEST(Places, ASlowAnswerCountsAtOnceAndIsForgivenInTime) {
  Places places;
  Place& place = places.place("local", "llama", 1);
  place.took(10ms, kStart);
  const double fast = place.load(kStart);
  place.took(500ms, kStart);
  const double slow = place.load(kStart);
  EXPECT_GT(slow, 40 * fast);
  place.took(10ms, kStart + 1s);
  EXPECT_LT(place.load(kStart + 1s), slow);
  EXPECT_LT(place.load(kStart + 60s), fast);
  EXPECT_TRUE(place.enter(0));
  EXPECT_NEAR(place.load(kStart + 1s), 2 * (place.load(kStart + 1s) / 2), 1);
  place.leave();
}

}  // namespace
}  // namespace weir::targets
