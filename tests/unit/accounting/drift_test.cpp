#include "accounting/drift.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "unit/accounting/fake_ledger.hpp"

namespace weir::accounting {
namespace {

using testing::HasSubstr;

constexpr auto kCauses = static_cast<std::size_t>(DriftCause::count_);

store::ModelUse use_of(std::string model, const Price& price, std::int64_t attempts, std::int64_t prompt,
                       std::int64_t output, std::int64_t cached = 0) {
  store::ModelUse use;
  use.model = use.reply_model = std::move(model);
  use.price = price;
  use.price_known = true;
  use.attempts = use.calls = attempts;
  use.cache_read = attempts * cached;
  use.uncached = attempts * prompt - use.cache_read;
  use.output = attempts * output;
  Usage usage;
  usage.uncached = use.uncached;
  usage.cache_read = use.cache_read;
  usage.output = use.output;
  use.cost = cost_of(price, usage);
  return use;
}

store::Period period_of(std::int64_t users, std::int64_t calls, std::vector<store::ModelUse> models) {
  store::Period period;
  period.users = users;
  period.calls = calls;
  period.messages = calls * 6;
  for (const store::ModelUse& use : models) period.attempts += use.attempts;
  period.models = std::move(models);
  return period;
}

Days day(int number) {
  const std::int64_t first = 1'793'491'200'000;  // 2026-11-01
  return {first + number * day_ms, first + (number + 1) * day_ms};
}

std::int64_t sum_of(const Drift& drift) {
  std::int64_t sum = 0;
  for (const DriftPart& part : drift.parts) sum += part.change.value;
  return sum;
}

NanoDollars part_of(const Drift& drift, DriftCause cause) {
  return drift.parts[static_cast<std::size_t>(cause)].change;
}

/// Two models, 90 % of the attempts at the small one. Prices in thousandths of a dollar per million tokens.
const Price kSmall = price_of_thousandths(500, 2'000);
const Price kDear = price_of_thousandths(5'000, 15'000);

/// The issue's story: $200 → $800 → $1,500 → $2,400 a day.
class Story : public testing::Test {
 protected:
  static store::Period day_of(std::int64_t users, std::int64_t calls, std::int64_t attempts, std::int64_t dear_percent,
                              std::int64_t prompt, std::int64_t output) {
    const std::int64_t dear = attempts * dear_percent / 100;
    return period_of(
        users, calls,
        {use_of("small", kSmall, attempts - dear, prompt, output), use_of("dear", kDear, dear, prompt, output)});
  }
  store::Period first = day_of(1'000, 100'000, 100'000, 10, 1'400, 200);
  store::Period more_users = day_of(4'000, 400'000, 400'000, 10, 1'400, 200);
  store::Period longer = day_of(4'000, 400'000, 400'000, 10, 3'242, 200);
  store::Period dearer = day_of(4'000, 400'000, 485'000, 17, 3'242, 200);
};

TEST_F(Story, EachStepNamesItsCauseAndAddsUp) {
  const Drift users = explain_drift(day(0), first, day(1), more_users);
  EXPECT_NEAR(to_dollars(users.from_cost), 200, 2);
  EXPECT_NEAR(to_dollars(users.to_cost), 800, 8);
  EXPECT_EQ(users.largest(), DriftCause::users);
  EXPECT_EQ(part_of(users, DriftCause::users), users.change()) << "nothing else changed";
  EXPECT_EQ(sum_of(users), users.change().value);

  const Drift history = explain_drift(day(1), more_users, day(2), longer);
  EXPECT_NEAR(to_dollars(history.to_cost), 1'500, 15);
  EXPECT_EQ(history.largest(), DriftCause::history);
  EXPECT_EQ(part_of(history, DriftCause::history), history.change());
  EXPECT_EQ(sum_of(history), history.change().value);

  const Drift mix = explain_drift(day(2), longer, day(3), dearer);
  EXPECT_NEAR(to_dollars(mix.to_cost), 2'400, 24);
  EXPECT_EQ(mix.largest(), DriftCause::model_mix);
  EXPECT_EQ(sum_of(mix), mix.change().value);
  EXPECT_EQ(part_of(mix, DriftCause::model_mix) + part_of(mix, DriftCause::retries), mix.change());
  EXPECT_GT(to_dollars(part_of(mix, DriftCause::retries)), 300);

  const Drift all = explain_drift(day(0), first, day(3), dearer);
  EXPECT_EQ(all.largest(), DriftCause::users);
  EXPECT_EQ(sum_of(all), all.change().value);
  if (std::getenv("WEIR_SHOW") != nullptr) {
    for (const Drift& drift : {users, history, mix, all}) std::cout << drift_table(drift) << "\n";
  }
}

TEST_F(Story, TheTableAndTheJsonSayTheSame) {
  const Drift drift = explain_drift(day(0), first, day(1), more_users);
  const std::string table = drift_table(drift);
  EXPECT_THAT(table, HasSubstr("drift, 2026-11-02 against 2026-11-01\n"));
  EXPECT_THAT(table, HasSubstr("(×4.00)"));
  EXPECT_THAT(table, HasSubstr("most of it: users\n"));
  const std::string json = drift_json(drift);
  EXPECT_THAT(json, testing::StartsWith(R"({"from":{"since":"2026-11-01T00:00:00Z","until":"2026-11-02T00:00:00Z",)"
                                        R"("days":1,"calls":100000,"cost_usd_per_day":)"));
  EXPECT_THAT(json, HasSubstr(R"("largest":"users","parts":[{"cause":"users","change_usd_per_day":)" +
                              dollars_text(drift.change()) + R"(,"from":"1,000","to":"4,000"})"));
}

TEST(Drift, APriceThatWentUpIsThePrice) {
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("m", kSmall, 100, 1'000, 100)}), day(1),
                                    period_of(10, 100, {use_of("m", kDear, 100, 1'000, 100)}));
  EXPECT_EQ(drift.largest(), DriftCause::price);
  EXPECT_EQ(part_of(drift, DriftCause::price), drift.change());
}

TEST(Drift, ACacheThatIsHitSavesAsTheProvidersCache) {
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)}), day(1),
                                    period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100, 1'500)}));
  EXPECT_LT(drift.change().value, 0);
  EXPECT_EQ(part_of(drift, DriftCause::provider_cache), drift.change());
}

TEST(Drift, LongerAnswersAreAnswers) {
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)}), day(1),
                                    period_of(10, 100, {use_of("m", kDear, 100, 2'000, 300)}));
  EXPECT_EQ(part_of(drift, DriftCause::answers), drift.change());
}

TEST(Drift, EachUserAsksMore) {
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)}), day(1),
                                    period_of(10, 250, {use_of("m", kDear, 250, 2'000, 100)}));
  EXPECT_EQ(part_of(drift, DriftCause::calls_per_user), drift.change());
}

TEST(Drift, RetriesOfClientsAreRetries) {
  store::Period after = period_of(10, 250, {use_of("m", kDear, 250, 2'000, 100)});
  after.client_retries = 150;
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)}), day(1), after);
  EXPECT_EQ(part_of(drift, DriftCause::retries), drift.change());
}

TEST(Drift, AttemptsThatNothingWasBilledForExplainNothing) {
  store::ModelUse unbilled;
  unbilled.model = "m";
  unbilled.price_known = true;
  unbilled.attempts = 900;
  const auto used = use_of("m", kDear, 100, 2'000, 100);
  const Drift drift = explain_drift(day(0), period_of(10, 100, {used}), day(1),
                                    period_of(10, 100, {use_of("m", kDear, 100, 2'000, 200), unbilled}));
  EXPECT_EQ(part_of(drift, DriftCause::answers), drift.change());
}

TEST(Drift, AModelInsteadOfAnotherIsTheMixAndUsersStayUsers) {
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("old", kSmall, 100, 1'000, 100)}), day(1),
                                    period_of(40, 400, {use_of("new", kDear, 400, 1'000, 100)}));
  EXPECT_EQ(sum_of(drift), drift.change().value);
  EXPECT_EQ(part_of(drift, DriftCause::users) + part_of(drift, DriftCause::model_mix), drift.change());
  EXPECT_GT(part_of(drift, DriftCause::users).value, 0);
  EXPECT_GT(part_of(drift, DriftCause::model_mix).value, 0);
  EXPECT_THAT(drift_table(drift), HasSubstr("new 100 %"));
}

TEST(Drift, WithNothingOnOneSideOrBothItStillAddsUp) {
  const store::Period nothing;
  const store::Period some = period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)});
  const Drift begun = explain_drift(day(0), nothing, day(1), some);
  EXPECT_EQ(part_of(begun, DriftCause::users), begun.change());
  EXPECT_THAT(drift_table(begun), HasSubstr("there are no calls in 2026-11-01\n"));
  const Drift ended = explain_drift(day(0), some, day(1), nothing);
  EXPECT_EQ(sum_of(ended), -begun.change().value);
  const Drift none = explain_drift(day(0), nothing, day(1), nothing);
  EXPECT_EQ(none.change(), NanoDollars{});
  EXPECT_THAT(drift_table(none), HasSubstr("$0.00 -> $0.00"));
}

TEST(Drift, APriceThatBecameUnknownIsVisible) {
  store::ModelUse unknown = use_of("m", kDear, 100, 2'000, 100);
  unknown.price_known = false;
  unknown.price = {};
  unknown.cost = {};
  const Drift drift = explain_drift(day(0), period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)}), day(1),
                                    period_of(10, 100, {unknown}));
  EXPECT_EQ(part_of(drift, DriftCause::price), drift.change());
  EXPECT_THAT(drift_table(drift), HasSubstr("100 attempts have no known price"));
}

TEST(Drift, PeriodsOfDifferentLengthAreComparedPerDay) {
  Days week = day(0);
  week.until_unix_ms = week.since_unix_ms + 7 * day_ms;
  const Drift drift = explain_drift(week, period_of(10, 700, {use_of("m", kDear, 700, 2'000, 100)}), day(8),
                                    period_of(10, 100, {use_of("m", kDear, 100, 2'000, 100)}));
  EXPECT_EQ(drift.change(), NanoDollars{});
  EXPECT_THAT(drift_table(drift), HasSubstr("the periods differ in length"));
  // Fewer different users in the shorter one are no cause, more calls a day are.
  const Drift busier = explain_drift(week, period_of(50, 700, {use_of("m", kDear, 700, 2'000, 100)}), day(8),
                                     period_of(20, 150, {use_of("m", kDear, 150, 2'000, 100)}));
  EXPECT_EQ(part_of(busier, DriftCause::calls_per_user), busier.change());
  EXPECT_THAT(drift_table(busier), HasSubstr("most of it: calls a day\n"));
}

TEST(Drift, WhateverThePeriodsThePartsAddUp) {
  std::mt19937_64 dice(4);
  const auto roll = [&](std::int64_t most) {
    return static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(most));
  };
  const auto any = [&] {
    std::vector<store::ModelUse> models;
    for (const char* name : {"a", "b", "c", "d"}) {
      if (roll(3) == 0) continue;
      auto use = use_of(name, price_of_thousandths(roll(3'000), roll(9'000)), roll(5'000), roll(4'000), roll(900));
      if (roll(6) == 0) use.cost = {};
      if (roll(6) == 0) use.price_known = false;
      models.push_back(use);
    }
    store::Period period = period_of(roll(500), roll(20'000), std::move(models));
    period.client_retries = roll(period.calls + 1);
    return period;
  };
  for (int round = 0; round < 2'000; ++round) {
    const Drift drift = explain_drift(day(0), any(), day(1), any());
    ASSERT_EQ(sum_of(drift), drift.change().value) << round;
    for (std::size_t i = 0; i < kCauses; ++i) {
      ASSERT_LT(std::abs(drift.parts[i].change.value), 100 * nano_dollars_per_dollar * 1'000) << kDriftCauseNames[i];
    }
  }
}

}  // namespace
}  // namespace weir::accounting
