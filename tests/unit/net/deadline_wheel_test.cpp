#include "net/deadline_wheel.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace weir::net {
namespace {

using namespace std::chrono_literals;

const TimePoint kBegin = TimePoint{} + 1000s;

class Alarm final : public Deadline {
 public:
  using Deadline::Deadline;
  int fired = 0;
  std::function<void()> then;

 private:
  void expired() override {
    ++fired;
    const auto act = then;  // which may destroy this alarm
    if (act) act();
  }
};

class WheelTest : public testing::Test {
 protected:
  /// Ticks on time, every kTick, up to `until` after the beginning.
  void tick_until(Duration until) {
    for (; now_ <= kBegin + until; now_ += DeadlineWheel::kTick) wheel.tick(now_);
  }
  DeadlineWheel wheel{kBegin};

 private:
  TimePoint now_ = kBegin;
};

TEST_F(WheelTest, FiresOnceAndThenIsDisarmed) {
  Alarm alarm(wheel);
  EXPECT_FALSE(alarm.armed());
  alarm.arm(kBegin + 50ms);
  EXPECT_TRUE(alarm.armed());
  EXPECT_EQ(alarm.at(), kBegin + 50ms);
  tick_until(40ms);
  EXPECT_EQ(alarm.fired, 0);
  tick_until(60ms);
  EXPECT_EQ(alarm.fired, 1);
  EXPECT_FALSE(alarm.armed());
  tick_until(25s);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, NeverEarlyAndAtMostOneTickLate) {
  std::mt19937 dice(5);
  struct Case {
    std::unique_ptr<Alarm> alarm;
    Duration at{};
    Duration fired_at{-1};
  };
  std::vector<Case> cases(3000);
  TimePoint now = kBegin;
  for (Case& each : cases) {
    each.at = std::chrono::microseconds(dice() % 65'000'000);  // more than three rounds of the wheel
    each.alarm = std::make_unique<Alarm>(wheel);
    each.alarm->then = [&each, &now] { each.fired_at = now - kBegin; };
    each.alarm->arm(kBegin + each.at);
  }
  for (; now <= kBegin + 66s; now += DeadlineWheel::kTick) wheel.tick(now);
  for (const Case& each : cases) {
    ASSERT_EQ(each.alarm->fired, 1);
    ASSERT_GE(each.fired_at, each.at);
    ASSERT_LE(each.fired_at - each.at, Duration{DeadlineWheel::kTick});
  }
}

TEST_F(WheelTest, NeverEarlyWhenTicksAreUneven) {
  std::mt19937 dice(6);
  std::vector<std::unique_ptr<Alarm>> alarms;
  TimePoint now = kBegin;
  for (int step = 0; step < 20'000; ++step) {
    now += std::chrono::microseconds(dice() % 60'000);
    wheel.tick(now);
    if (step % 3 == 0) {
      auto& alarm = alarms.emplace_back(std::make_unique<Alarm>(wheel));
      const TimePoint at = now + std::chrono::microseconds(dice() % 30'000'000);
      alarm->then = [at, &now] { ASSERT_GE(now, at); };
      alarm->arm(at);
    }
  }
  now += 31s;
  wheel.tick(now);
  for (const auto& alarm : alarms) ASSERT_EQ(alarm->fired, 1);
}

TEST_F(WheelTest, ReArmedLaterItFiresThenOnly) {
  Alarm alarm(wheel);
  alarm.arm(kBegin + 100ms);
  tick_until(80ms);
  alarm.arm(kBegin + 300ms);
  tick_until(280ms);
  EXPECT_EQ(alarm.fired, 0);
  tick_until(320ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, ReArmedEarlierItFiresEarlier) {
  Alarm alarm(wheel);
  alarm.arm(kBegin + 10s);
  alarm.arm(kBegin + 100ms);
  tick_until(120ms);
  EXPECT_EQ(alarm.fired, 1);
  tick_until(11s);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, LaterAndThenEarlierThanAtFirst) {
  Alarm alarm(wheel);
  alarm.arm(kBegin + 200ms);
  alarm.arm(kBegin + 10s);  // only stored
  alarm.arm(kBegin + 100ms);
  tick_until(120ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, LaterAndThenBackToTheMiddleIsNotLate) {
  Alarm alarm(wheel);
  alarm.arm(kBegin + 100ms);
  alarm.arm(kBegin + 10s);
  tick_until(200ms);  // the wheel has moved it to its 10 s
  alarm.arm(kBegin + 1s);
  tick_until(1020ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, FarFutureIsPastSeveralRounds) {
  Alarm alarm(wheel);
  alarm.arm(kBegin + 10min);
  tick_until(10min - 1ms);
  EXPECT_EQ(alarm.fired, 0);
  tick_until(10min + 20ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, TheEndOfTimeDoesNotOverflow) {
  Alarm alarm(wheel);
  alarm.arm(TimePoint::max());
  tick_until(30s);
  EXPECT_EQ(alarm.fired, 0);
  alarm.arm(kBegin + 31s);
  tick_until(31s + 20ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, AMomentThatHasPassedFiresAtTheNextTick) {
  tick_until(1s);
  Alarm alarm(wheel);
  alarm.arm(kBegin - 5s);
  EXPECT_EQ(alarm.fired, 0);  // never inside arm()
  tick_until(1020ms);
  EXPECT_EQ(alarm.fired, 1);
}

TEST_F(WheelTest, DisarmedAndDestroyedOnesStaySilent) {
  Alarm first(wheel), last(wheel);
  auto middle = std::make_unique<Alarm>(wheel);
  first.arm(kBegin + 100ms);
  middle->arm(kBegin + 100ms);
  last.arm(kBegin + 100ms);
  middle.reset();  // out of the middle of its slot
  last.disarm();
  last.disarm();
  EXPECT_FALSE(last.armed());
  tick_until(1s);
  EXPECT_EQ(first.fired, 1);
  EXPECT_EQ(last.fired, 0);
  last.arm(kBegin + 1100ms);
  tick_until(1200ms);
  EXPECT_EQ(last.fired, 1);
}

TEST_F(WheelTest, ALongGapBetweenTicksFiresAllThatIsDueAndNothingElse) {
  std::vector<std::unique_ptr<Alarm>> due, later;
  for (int i = 0; i < 200; ++i) {
    due.emplace_back(std::make_unique<Alarm>(wheel))->arm(kBegin + i * 247ms);
    later.emplace_back(std::make_unique<Alarm>(wheel))->arm(kBegin + 61s + i * 247ms);
  }
  wheel.tick(kBegin + 60s);
  for (const auto& alarm : due) EXPECT_EQ(alarm->fired, 1);
  for (const auto& alarm : later) EXPECT_EQ(alarm->fired, 0);
  wheel.tick(kBegin + 200s);
  for (const auto& alarm : due) EXPECT_EQ(alarm->fired, 1);
  for (const auto& alarm : later) EXPECT_EQ(alarm->fired, 1);
}

TEST_F(WheelTest, AnExpiredOneMayDestroyOthersOfItsSlotAndItself) {
  std::vector<std::unique_ptr<Alarm>> alarms;
  int fired = 0;
  for (int i = 0; i < 5; ++i) {
    alarms.push_back(std::make_unique<Alarm>(wheel));
    alarms.back()->then = [&] {
      ++fired;
      alarms.clear();
    };
    alarms.back()->arm(kBegin + 100ms);
  }
  tick_until(200ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, AnExpiredOneMayArmItselfAndOthers) {
  Alarm other(wheel), self(wheel);
  self.then = [&] {
    if (self.fired == 1) {
      self.arm(kBegin + 100ms);  // past already: the next tick's, not an endless loop
      other.arm(kBegin + 150ms);
    }
  };
  self.arm(kBegin + 100ms);
  tick_until(140ms);
  EXPECT_EQ(self.fired, 2);
  EXPECT_EQ(other.fired, 0);
  tick_until(160ms);
  EXPECT_EQ(self.fired, 2);
  EXPECT_EQ(other.fired, 1);
}

TEST_F(WheelTest, RandomUseKeepsItsPromise) {
  std::mt19937 dice(7);
  struct Case {
    std::unique_ptr<Alarm> alarm;
    TimePoint at{};
    bool armed = false;
  };
  std::vector<Case> cases(40);
  TimePoint now = kBegin;
  for (Case& each : cases) {
    each.alarm = std::make_unique<Alarm>(wheel);
    each.alarm->then = [&each, &now] {
      ASSERT_TRUE(each.armed);
      ASSERT_GE(now, each.at);
      ASSERT_LE(now - each.at, 2 * DeadlineWheel::kTick);  // armed between ticks: its own tick, and this one's step
      each.armed = false;
    };
  }
  for (int step = 0; step < 30'000; ++step) {
    now += DeadlineWheel::kTick;
    wheel.tick(now);
    Case& each = cases[dice() % cases.size()];
    if (dice() % 4 == 0) {
      each.alarm->disarm();
      each.armed = false;
    } else {
      each.at = now + std::chrono::milliseconds(dice() % (dice() % 5 == 0 ? 45'000 : 900));
      each.armed = true;
      each.alarm->arm(each.at);
    }
    ASSERT_EQ(each.alarm->armed(), each.armed);
  }
}

}  // namespace
}  // namespace weir::net
