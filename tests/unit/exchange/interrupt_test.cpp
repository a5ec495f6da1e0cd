#include <weir/exchange/interrupt.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace weir {
namespace {

struct Wait final : Interruptible {
  void interrupt() override { ++interrupted; }
  int interrupted = 0;
};

TEST(Interrupt, FiresIntoWhoeverWaits) {
  Interrupt interrupt;
  Wait wait;
  const Interrupt::Scope scope(interrupt, wait);
  EXPECT_FALSE(interrupt.fired());
  interrupt.fire(InterruptReason::client_left);
  EXPECT_TRUE(interrupt.fired());
  EXPECT_EQ(wait.interrupted, 1);
}

TEST(Interrupt, TheFirstReasonStaysAndEachFiringIsHeard) {
  Interrupt interrupt;
  Wait wait;
  const Interrupt::Scope scope(interrupt, wait);
  interrupt.fire(InterruptReason::timeout_first_byte);
  interrupt.fire(InterruptReason::client_left);
  EXPECT_EQ(interrupt.reason(), InterruptReason::timeout_first_byte);
  EXPECT_EQ(wait.interrupted, 2);
}

TEST(Interrupt, WithoutAWaitItIsKeptForTheNextOne) {
  Interrupt interrupt;
  interrupt.fire(InterruptReason::shutdown);
  EXPECT_EQ(interrupt.reason(), InterruptReason::shutdown);
  Wait wait;
  const Interrupt::Scope scope(interrupt, wait);
  EXPECT_EQ(wait.interrupted, 0);  // whoever waits looks at fired() first
  EXPECT_TRUE(interrupt.fired());
}

TEST(Interrupt, ScopesNestAndTheOuterOneComesBack) {
  Interrupt interrupt;
  Wait outer, inner;
  {
    const Interrupt::Scope one(interrupt, outer);
    {
      const Interrupt::Scope two(interrupt, inner);
      interrupt.fire(InterruptReason::client_left);
      EXPECT_EQ(inner.interrupted, 1);
      EXPECT_EQ(outer.interrupted, 0);
    }
    interrupt.fire(InterruptReason::client_left);
    EXPECT_EQ(inner.interrupted, 1);
    EXPECT_EQ(outer.interrupted, 1);
  }
  interrupt.fire(InterruptReason::client_left);
  EXPECT_EQ(inner.interrupted, 1);
  EXPECT_EQ(outer.interrupted, 1);
}

TEST(Interrupt, ClearedForAnotherAttempt) {
  Interrupt interrupt;
  interrupt.fire(InterruptReason::timeout_connect);
  interrupt.clear();
  EXPECT_FALSE(interrupt.fired());
  interrupt.fire(InterruptReason::timeout_total);
  EXPECT_EQ(interrupt.reason(), InterruptReason::timeout_total);
}

TEST(Interrupt, ClearingDoesNotBringAClientBack) {
  for (const auto reason : {InterruptReason::client_left, InterruptReason::shutdown}) {
    Interrupt interrupt;
    interrupt.fire(InterruptReason::timeout_first_byte);
    EXPECT_FALSE(interrupt.over());
    interrupt.fire(reason);  // heard, though the attempt ended by the timeout
    EXPECT_TRUE(interrupt.over());
    interrupt.clear();
    EXPECT_EQ(interrupt.reason(), reason);
  }
}

}  // namespace
}  // namespace weir
