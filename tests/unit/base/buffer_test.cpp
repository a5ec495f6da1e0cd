#include <weir/base/buffer.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>

namespace weir {
namespace {

TEST(Buffer, EmptyOneHasNoMemoryAndTakesNothingBadly) {
  Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(buffer.tail_size(), 0U);
  EXPECT_EQ(buffer.view(), "");
  buffer.append("");
  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(Buffer, AppendsAndConsumesInOrder) {
  Buffer buffer;
  buffer.append("hello ");
  buffer.append("world");
  EXPECT_EQ(buffer.view(), "hello world");
  buffer.consume(6);
  EXPECT_EQ(buffer.view(), "world");
  buffer.append("!");
  EXPECT_EQ(buffer.view(), "world!");
  buffer.truncate(2);
  EXPECT_EQ(buffer.view(), "wo");
  buffer.consume(2);
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, AnEmptiedOneUsesAllItsMemoryAgain) {
  Buffer buffer(100);
  buffer.append(std::string(100, 'x'));
  EXPECT_EQ(buffer.tail_size(), buffer.capacity() - 100);
  buffer.consume(100);
  EXPECT_EQ(buffer.tail_size(), buffer.capacity());
}

TEST(Buffer, WhatIsWrittenIntoTheTailIsContentAfterCommit) {
  Buffer buffer(16);
  ASSERT_GE(buffer.tail().size(), 16U);
  buffer.tail()[0] = 'a';
  buffer.tail()[1] = 'b';
  EXPECT_EQ(buffer.size(), 0U);
  buffer.commit(2);
  EXPECT_EQ(buffer.view(), "ab");
}

TEST(Buffer, ReserveKeepsTheContentWhetherItMovesOrGrows) {
  Buffer buffer(64);
  buffer.append(std::string(60, 'a') + "tail");
  buffer.consume(60);
  const std::size_t before = buffer.capacity();
  buffer.reserve_tail(50);  // room is at the front: no larger block
  EXPECT_EQ(buffer.capacity(), before);
  EXPECT_GE(buffer.tail_size(), 50U);
  EXPECT_EQ(buffer.view(), "tail");
  buffer.reserve_tail(1000);
  EXPECT_GT(buffer.capacity(), before);
  EXPECT_GE(buffer.tail_size(), 1000U);
  EXPECT_EQ(buffer.view(), "tail");
}

TEST(Buffer, MovingTakesTheContentAndLeavesAnEmptyOne) {
  Buffer from;
  from.append("abc");
  from.consume(1);
  Buffer to(std::move(from));
  EXPECT_EQ(to.view(), "bc");
  EXPECT_EQ(from.size(), 0U);  // NOLINT(bugprone-use-after-move): what is left behind is the contract here
  from.append("new");
  EXPECT_EQ(from.view(), "new");
  EXPECT_EQ(to.view(), "bc");
}

TEST(Buffer, MoveAssignmentGivesTheOldMemoryInExchange) {
  Buffer from;
  from.append("from");
  Buffer to(5000);
  to.append("to");
  const std::size_t old = to.capacity();
  to = std::move(from);
  EXPECT_EQ(to.view(), "from");
  EXPECT_EQ(from.capacity(), old);  // NOLINT(bugprone-use-after-move): ReplySink::whole() relies on it
}

TEST(Buffer, ShrinksOnlyWhenEmpty) {
  Buffer buffer(10000);
  buffer.append("x");
  buffer.shrink_to(16);
  EXPECT_GE(buffer.capacity(), 10000U);
  EXPECT_EQ(buffer.view(), "x");
  buffer.clear();
  buffer.shrink_to(16);
  EXPECT_EQ(buffer.capacity(), 16U);
  buffer.shrink_to(100);  // never grows
  EXPECT_EQ(buffer.capacity(), 16U);
  buffer.shrink_to(0);
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("works on");
  EXPECT_EQ(buffer.view(), "works on");
}

TEST(Buffer, GrowsLikeAStringUnderRandomUse) {
  std::mt19937 dice(1);
  Buffer buffer;
  std::string model;
  for (int step = 0; step < 5000; ++step) {
    const std::size_t size = dice() % 300;
    switch (dice() % 4) {
      case 0:
        buffer.consume(std::min(size, model.size()));
        model.erase(0, size);
        break;
      case 1:
        buffer.reserve_tail(size);
        ASSERT_GE(buffer.tail_size(), size);
        break;
      case 2:
        if (dice() % 20 == 0) {
          buffer.truncate(std::min(size, model.size()));
          model.resize(std::min(size, model.size()));
        }
        break;
      default: {
        const std::string more(size, static_cast<char>('a' + dice() % 26));
        buffer.append(more);
        model += more;
      }
    }
    ASSERT_EQ(buffer.view(), model) << "step " << step;
  }
}

}  // namespace
}  // namespace weir
