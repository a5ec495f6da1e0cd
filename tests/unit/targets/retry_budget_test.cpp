#include "targets/retry_budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weir::targets {
namespace {

TEST(RetryBudget, HasAFloorWithoutAnyCall) {
  RetryBudget budget;
  EXPECT_EQ(budget.remaining(1000, 1000), 100);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.try_spend(1000, 1000)) << i;
  EXPECT_FALSE(budget.try_spend(1000, 1000));
  EXPECT_EQ(budget.remaining(1000, 1000), 0);
}

TEST(RetryBudget, GrowsWithTheCallsOfTenSeconds) {
  RetryBudget budget;
  for (int second = 100; second < 110; ++second) {
    for (int i = 0; i < 100; ++i) budget.note_call(second);
  }
  EXPECT_EQ(budget.remaining(109, 1000), 200);  // the floor and 10 % of a thousand
  EXPECT_EQ(budget.remaining(109, 50), 105);
  EXPECT_EQ(budget.remaining(109, 0), 100);
  EXPECT_EQ(budget.remaining(114, 1000), 150);
  EXPECT_EQ(budget.remaining(119, 1000), 100);
}

TEST(RetryBudget, WhatWasSpentComesBackAfterTenSeconds) {
  RetryBudget budget;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.try_spend(5, 1000));
  EXPECT_FALSE(budget.try_spend(14, 1000));
  EXPECT_TRUE(budget.try_spend(15, 1000));
}

TEST(RetryBudget, SecondsThatShareABucketDoNotMix) {
  RetryBudget budget;
  for (int i = 0; i < 50; ++i) budget.note_call(3);
  budget.note_call(3 + 16);
  EXPECT_EQ(budget.remaining(19, 10'000), 101);
}

TEST(RetryBudget, ThreadsTogetherNeverTakeTooMany) {
  RetryBudget budget;
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) taken += budget.try_spend(7, 1000) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(taken, 100);
  EXPECT_GT(taken, 90);  // a few may find it taken by one that gives it back
}

}  // namespace
}  // namespace weir::targets
