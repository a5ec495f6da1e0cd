#include "targets/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace weir::targets {
namespace {

using namespace std::chrono_literals;
using State = CircuitBreaker::State;
using Verdict = CircuitBreaker::Verdict;

const TimePoint kStart{1'000'000s};

struct CircuitBreakerTest : testing::Test {
  CircuitBreaker breaker;
  bool trial = false;

  void report(Verdict verdict, int times, TimePoint at = kStart) {
    for (int i = 0; i < times; ++i) breaker.report(verdict, false, at);
  }
};

TEST_F(CircuitBreakerTest, FewFailuresSayNothing) {
  report(Verdict::bad, 19);
  EXPECT_EQ(breaker.state(kStart), State::closed);
  EXPECT_TRUE(breaker.admit(kStart, trial));
  EXPECT_FALSE(trial);
}

TEST_F(CircuitBreakerTest, OpensWhenHalfOfTwentyFailed) {
  report(Verdict::good, 10);
  report(Verdict::bad, 9);
  EXPECT_EQ(breaker.state(kStart), State::closed);
  report(Verdict::bad, 1);
  EXPECT_EQ(breaker.state(kStart), State::open);
  EXPECT_FALSE(breaker.admit(kStart + 999ms, trial));
}

TEST_F(CircuitBreakerTest, TwentyInARowOpenItHoweverManyWereGoodBefore) {
  report(Verdict::good, 100'000);
  report(Verdict::bad, 19);
  report(Verdict::good, 1);
  report(Verdict::bad, 19);
  EXPECT_EQ(breaker.state(kStart), State::closed);
  report(Verdict::bad, 1);
  EXPECT_EQ(breaker.state(kStart), State::open);
}

TEST_F(CircuitBreakerTest, FailuresOfMoreThanTenSecondsAgoAreForgotten) {
  report(Verdict::bad, 19);
  report(Verdict::good, 1);
  report(Verdict::bad, 1, kStart + 10s);
  EXPECT_EQ(breaker.state(kStart + 10s), State::closed);
}

TEST_F(CircuitBreakerTest, NeutralEndingsDoNotCount) {
  report(Verdict::neutral, 100);
  report(Verdict::bad, 19);
  EXPECT_EQ(breaker.state(kStart), State::closed);
}

TEST_F(CircuitBreakerTest, OneTrialAtATimeAndItsSuccessCloses) {
  report(Verdict::bad, 20);
  const TimePoint later = kStart + 1s;
  EXPECT_EQ(breaker.state(later), State::half_open);
  EXPECT_TRUE(breaker.admit(later, trial));
  EXPECT_TRUE(trial);
  bool second = false;
  EXPECT_FALSE(breaker.admit(later, second));
  EXPECT_FALSE(breaker.would_admit(later));
  breaker.report(Verdict::good, false, later);  // of a call from before
  EXPECT_EQ(breaker.state(later), State::half_open);
  breaker.report(Verdict::good, true, later);
  EXPECT_EQ(breaker.state(later), State::closed);
  breaker.report(Verdict::bad, false, later);  // one more failure: the old ones are forgotten
  EXPECT_EQ(breaker.state(later), State::closed);
}

TEST_F(CircuitBreakerTest, AFailedTrialDoublesThePauseUpToItsLimit) {
  report(Verdict::bad, 20);
  TimePoint now = kStart + 1s;
  Duration pause = 1s;
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(breaker.admit(now, trial)) << i;
    breaker.report(Verdict::bad, true, now);
    pause = std::min<Duration>(2 * pause, CircuitBreaker::kPauseMax);
    EXPECT_FALSE(breaker.admit(now + pause - 1ms, trial)) << i;
    now += pause;
  }
}

TEST_F(CircuitBreakerTest, ATrialThatTheClientBrokeOffMakesRoomForTheNext) {
  report(Verdict::bad, 20);
  const TimePoint later = kStart + 1s;
  ASSERT_TRUE(breaker.admit(later, trial));
  breaker.report(Verdict::neutral, true, later);
  EXPECT_TRUE(breaker.admit(later, trial));
}

TEST_F(CircuitBreakerTest, ATrialThatNeverReportsDoesNotHoldForEver) {
  report(Verdict::bad, 20);
  ASSERT_TRUE(breaker.admit(kStart + 1s, trial));
  EXPECT_FALSE(breaker.admit(kStart + 60s, trial));
  EXPECT_TRUE(breaker.admit(kStart + 1s + CircuitBreaker::kTrialMax, trial));
}

}  // namespace
}  // namespace weir::targets
