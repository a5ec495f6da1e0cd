#include <weir/base/spare.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir {
namespace {

struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  std::string text;
  static inline int alive = 0;
};

TEST(Spare, WhatComesBackIsLentAgainAsItWasLeft) {
  Spare<Counted> spare;
  const Counted* first = nullptr;
  {
    const auto lent = spare.lend();
    first = &*lent;
    lent->text = "left";
  }
  const auto again = spare.lend();
  EXPECT_EQ(&*again, first);
  EXPECT_EQ(again->text, "left");
}

TEST(Spare, TwoAtOnceAreTwo) {
  Spare<Counted> spare;
  const auto one = spare.lend();
  const auto two = spare.lend();
  EXPECT_NE(&*one, &*two);
}

TEST(Spare, AMovedLoanComesBackOnce) {
  Spare<Counted> spare;
  {
    auto lent = spare.lend();
    const auto moved = std::move(lent);
    moved->text = "x";
  }
  const auto one = spare.lend();
  const auto two = spare.lend();
  EXPECT_NE(&*one, &*two);
  EXPECT_EQ(one->text, "x");
  EXPECT_EQ(two->text, "");
}

TEST(Spare, KeepsNoMoreThanItSaysAndFreesAll) {
  {
    Spare<Counted, 3> spare;
    {
      std::vector<Spare<Counted, 3>::Lent> lent;
      lent.reserve(10);
      for (int i = 0; i < 10; ++i) lent.push_back(spare.lend());
      EXPECT_EQ(Counted::alive, 10);
    }
    EXPECT_EQ(Counted::alive, 3);
  }
  EXPECT_EQ(Counted::alive, 0);
}

}  // namespace
}  // namespace weir
