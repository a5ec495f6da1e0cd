#include "pipeline/retry/decision.hpp"

#include <gtest/gtest.h>

namespace weir::pipeline {
namespace {

using namespace std::chrono_literals;

/// A fast failure of the first attempt, with time, budget and money left and another place to go to.
Situation failed(Failure failure) {
  Situation now;
  now.failure = failure;
  now.took = 5ms;
  now.left = 60s;
  now.elsewhere = now.elsewhere_in_budget = now.elsewhere_affordable = true;
  now.here_in_budget = now.here_affordable = true;
  return now;
}
Situation failed_alone(Failure failure) {
  Situation now = failed(failure);
  now.elsewhere = now.elsewhere_in_budget = now.elsewhere_affordable = false;
  return now;
}
Decision decided(const Situation& now, std::uint64_t dice = 0, RetryLimits limits = {}) {
  return decide(now, limits, RetrySettings{}, dice);
}

TEST(Decision, TheTableSaysWhatMayBeTriedElsewhere) {
  for (const FailureRow& row : kFailures) {
    const bool may = row.policy == Policy::retry_elsewhere || row.policy == Policy::bigger_context;
    EXPECT_EQ(decided(failed(row.failure)).verdict, may ? Verdict::elsewhere : Verdict::give_up) << row.name;
  }
}

TEST(Decision, WithNoOtherPlaceOnlyWhatTheTableAllowsIsAskedAgain) {
  for (const FailureRow& row : kFailures) {
    EXPECT_EQ(decided(failed_alone(row.failure)).verdict, row.same_place ? Verdict::here : Verdict::give_up)
        << row.name;
  }
}

TEST(Decision, ElsewhereIsAtOnceAndHereWaits) {
  EXPECT_EQ(decided(failed(Failure::upstream_error), 12345).wait, Duration{});
  EXPECT_EQ(decided(failed_alone(Failure::upstream_error), 12345).wait, Duration(12345));
}

TEST(Decision, NothingAfterContent) {
  for (const FailureRow& row : kFailures) {
    Situation now = failed(row.failure);
    now.content_sent = true;
    EXPECT_EQ(decided(now).verdict, Verdict::give_up) << row.name;
  }
}

TEST(Decision, NothingForNobody) {
  Situation now = failed(Failure::upstream_unreachable);
  now.over = true;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
}

TEST(Decision, NoMoreThanTheAttempts) {
  Situation now = failed(Failure::upstream_unreachable);
  now.attempts = 2;
  EXPECT_EQ(decided(now).verdict, Verdict::elsewhere);
  now.attempts = 3;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now.attempts = 1;
  EXPECT_EQ(decided(now, 0, {1, {}}).verdict, Verdict::give_up);
}

TEST(Decision, NotPastTheDeadline) {
  Situation now = failed(Failure::upstream_timeout_total);
  now.left = 0s;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now = failed_alone(Failure::upstream_overloaded);
  now.left = 2s;
  now.back_in = 2s;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now.back_in = 1s;
  EXPECT_EQ(decided(now).verdict, Verdict::here);
}

TEST(Decision, WhatMayHaveBeenBilledIsPaidAtMostTwice) {
  Situation now = failed(Failure::upstream_timeout_first_byte);
  now.billed = true;
  EXPECT_EQ(decided(now).verdict, Verdict::elsewhere);
  now.resends = 1;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now.billed = false;  // the resend did not arrive
  EXPECT_EQ(decided(now).verdict, Verdict::elsewhere);
}

TEST(Decision, WhatMayHaveBeenBilledStaysWithinItsCost) {
  Situation now = failed(Failure::upstream_protocol);
  now.billed = true;
  now.elsewhere_affordable = false;
  EXPECT_EQ(decided(now).why, "max_resend_cost");
  now.billed = false;
  EXPECT_EQ(decided(now).verdict, Verdict::elsewhere);
  now = failed_alone(Failure::upstream_error);
  now.billed = now.answered = true;
  now.here_affordable = false;
  EXPECT_EQ(decided(now).why, "max_resend_cost");
}

TEST(Decision, WhatWasSentAndNotAnsweredIsNotSentToTheSamePlace) {
  Situation now = failed_alone(Failure::upstream_unreachable);
  now.billed = true;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now = failed_alone(Failure::upstream_error);
  now.billed = true;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now.answered = true;
  EXPECT_EQ(decided(now).verdict, Verdict::here);
}

TEST(Decision, OnlyFastFailuresAreTriedAgainHere) {
  Situation now = failed_alone(Failure::upstream_error);
  now.took = 1s;
  EXPECT_EQ(decided(now).verdict, Verdict::here);
  now.took = 1001ms;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
}

TEST(Decision, WhatIsPermanentIsNotTriedAgainHere) {
  Situation now = failed_alone(Failure::upstream_error);
  now.permanent = true;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now = failed(Failure::upstream_error);
  now.permanent = true;
  EXPECT_EQ(decided(now).verdict, Verdict::elsewhere);
}

TEST(Decision, ASpentBudgetGivesUpElsewhereAndMayStayHere) {
  Situation now = failed(Failure::upstream_unreachable);
  now.elsewhere_in_budget = false;
  EXPECT_EQ(decided(now).verdict, Verdict::here);
  now.here_in_budget = false;
  EXPECT_EQ(decided(now).why, "the retry budget");
}

TEST(Decision, ARawPostThatArrivedIsNotRepeated) {
  Situation now = failed(Failure::upstream_error);
  now.repeatable = false;
  now.billed = true;
  EXPECT_EQ(decided(now).verdict, Verdict::give_up);
  now.billed = false;
  EXPECT_EQ(decided(now).verdict, Verdict::elsewhere);
}

TEST(Decision, AProvidersLongerWaitIsTheClients) {
  Situation now = failed_alone(Failure::limit_rate);
  now.back_in = 3s;
  EXPECT_EQ(decided(now).wait, Duration(3s));
  now.back_in = 5001ms;
  EXPECT_EQ(decided(now).why, "the provider asks for a longer wait");
}

TEST(Backoff, IsFullJitterUnderACeilingThatDoubles) {
  const RetrySettings settings;
  EXPECT_EQ(backoff(settings, 0, 0), Duration{});
  EXPECT_EQ(backoff(settings, 3, 0), Duration{});
  const std::uint64_t most = static_cast<std::uint64_t>(Duration(100ms).count());
  EXPECT_EQ(backoff(settings, 0, most), Duration(100ms));
  EXPECT_EQ(backoff(settings, 0, most + 1), Duration{});
  EXPECT_EQ(backoff(settings, 1, 2 * most), Duration(200ms));
  EXPECT_EQ(backoff(settings, 2, 4 * most), Duration(400ms));
  EXPECT_EQ(backoff(settings, 20, 50 * most), Duration(5s));
  EXPECT_EQ(backoff(settings, 4'000'000'000U, 50 * most), Duration(5s));
  for (std::uint64_t dice = 1; dice != 0; dice <<= 1) EXPECT_LE(backoff(settings, 40, dice), Duration(5s));
}

}  // namespace
}  // namespace weir::pipeline
