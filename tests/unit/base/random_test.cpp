#include <weir/base/random.hpp>

#include <gtest/gtest.h>

#include <bit>

namespace weir {
namespace {

// xoshiro256++ over four words of splitmix64 from seed 0.
TEST(Random, IsTheGeneratorThatItSays) {
  Random random(0);
  EXPECT_EQ(random.next(), 5987356902031041503ULL);
  EXPECT_EQ(random.next(), 7051070477665621255ULL);
  EXPECT_EQ(random.next(), 6633766593972829180ULL);
  EXPECT_EQ(random.next(), 211316841551650330ULL);
}

TEST(Random, TheSameSeedRepeatsAndAnotherDoesNot) {
  Random one(7), again(7), other(8);
  unsigned same = 0;
  for (int i = 0; i < 100; ++i) {
    const auto number = one.next();
    ASSERT_EQ(number, again.next());
    same += number == other.next() ? 1 : 0;
  }
  EXPECT_EQ(same, 0U);
}

TEST(Random, SeedsFromTheKernelDiffer) {
  EXPECT_NE(Random().next(), Random().next());
}

TEST(Random, BitsAreEven) {
  Random random(9);
  unsigned ones = 0;
  for (int i = 0; i < 10'000; ++i) ones += static_cast<unsigned>(std::popcount(random.next()));
  EXPECT_NEAR(ones, 320'000, 2'000);  // five standard deviations
}

}  // namespace
}  // namespace weir
