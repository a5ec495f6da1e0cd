#include "targets/first_byte_times.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::targets {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kTotal = 600s;

class FirstByteTimesTest : public testing::Test {
 protected:
  void record(int calls, Duration took, std::uint64_t bytes = 100, std::string_view model = "m",
              std::string_view provider = "p") {
    for (int i = 0; i < calls; ++i) times.record(provider, model, bytes, took);
  }
  std::chrono::milliseconds limit(std::uint64_t bytes = 100, std::string_view model = "m",
                                  std::string_view provider = "p", std::chrono::milliseconds total = kTotal) const {
    return times.limit(provider, model, bytes, total);
  }
  FirstByteTimes times;
};

TEST_F(FirstByteTimesTest, WaitsTheWholeTimeUntilFiftyCallsAreKnown) {
  EXPECT_EQ(limit(), kTotal);
  record(49, 100ms);
  EXPECT_EQ(limit(), kTotal);
  record(1, 100ms);
  EXPECT_EQ(limit(), 120s);
}

TEST_F(FirstByteTimesTest, NeverBelowTheFloorAndNeverAboveTheTotal) {
  record(1000, 1ms);
  EXPECT_EQ(limit(), 120s);
  EXPECT_EQ(limit(100, "m", "p", 30s), 30s);  // a total below the floor holds
  record(100'000, 500s);
  EXPECT_EQ(limit(), kTotal);
}

TEST_F(FirstByteTimesTest, IsFourTimesTheNinetyNinthPercentile) {
  record(100, 60s);
  EXPECT_GE(limit(), 240s);
  EXPECT_LE(limit(), 240s * 1.13);  // a bucket is 12 % wide
}

TEST_F(FirstByteTimesTest, OneInAHundredMayBeSlowerAndTwoMayNot) {
  record(99, 31s);
  record(1, 140s);
  EXPECT_LT(limit(), 4 * 31s * 1.13);
  record(1, 140s);
  EXPECT_GE(limit(), 4 * 140s);
}

TEST_F(FirstByteTimesTest, FastCallsDoNotHideWhatIsAboveThem) {
  record(98, 1ms);
  record(2, 100s);
  EXPECT_GE(limit(), 400s);
}

TEST_F(FirstByteTimesTest, ModelsProvidersAndSizesAreApart) {
  record(50, 1s);
  EXPECT_EQ(limit(), 120s);
  EXPECT_EQ(limit(100, "other"), kTotal);
  EXPECT_EQ(limit(100, "m", "other"), kTotal);
  EXPECT_EQ(limit(4096), 120s);
  EXPECT_EQ(limit(4097), kTotal);
  record(50, 1s, 32768);
  EXPECT_EQ(limit(4097), 120s);
  EXPECT_EQ(limit(32769), kTotal);
  record(50, 1s, 262144);
  EXPECT_EQ(limit(32769), 120s);
  EXPECT_EQ(limit(262145), kTotal);
  record(50, 1s, 10'000'000);
  EXPECT_EQ(limit(262145), 120s);
}

TEST_F(FirstByteTimesTest, NamesThatJoinToTheSameTextAreNotTheSame) {
  record(50, 1s, 100, "bc", "a");
  EXPECT_EQ(limit(100, "bc", "a"), 120s);
  EXPECT_EQ(limit(100, "c", "ab"), kTotal);
  EXPECT_EQ(limit(100, "abc", ""), kTotal);
}

TEST_F(FirstByteTimesTest, AFloodOfNamesEndsAndTheKnownOnesGoOnLearning) {
  record(25, 1s, 100, "known");
  for (int i = 0; i < 6000; ++i) record(50, 1s, 100, "flood" + std::to_string(i));
  int learned = 0;
  for (int i = 0; i < 6000; ++i) learned += limit(100, "flood" + std::to_string(i)) == 120s ? 1 : 0;
  EXPECT_EQ(learned, 4095);
  record(25, 1s, 100, "known");
  EXPECT_EQ(limit(100, "known"), 120s);
}

}  // namespace
}  // namespace weir::targets
