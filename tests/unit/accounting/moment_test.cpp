#include "accounting/moment.hpp"

#include <gtest/gtest.h>

namespace weir::accounting {
namespace {

constexpr std::int64_t kNow = 1'795'644'929'781;  // 2026-11-25T22:15:29.781Z

TEST(Moment, IsWrittenInUtc) {
  EXPECT_EQ(moment_text(kNow), "2026-11-25T22:15:29.781Z");
  EXPECT_EQ(moment_text(kNow - 781), "2026-11-25T22:15:29Z");
  EXPECT_EQ(millisecond_text(kNow - 781), "2026-11-25T22:15:29.000Z");
  EXPECT_EQ(moment_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(date_text(kNow), "2026-11-25");
}

TEST(Moment, IsReadInEachNotation) {
  EXPECT_EQ(parse_moment("7d", kNow), kNow - 7 * day_ms);
  EXPECT_EQ(parse_moment("90s", kNow), kNow - 90'000);
  EXPECT_EQ(parse_moment("30m", kNow), kNow - 1'800'000);
  EXPECT_EQ(parse_moment("12h", kNow), kNow - 43'200'000);
  EXPECT_EQ(parse_moment("4w", kNow), kNow - 28 * day_ms);
  EXPECT_EQ(parse_moment("1970-01-02", kNow), day_ms);
  EXPECT_EQ(parse_moment("2026-11-25T22:15:29.781Z", kNow), kNow);
  EXPECT_EQ(parse_moment("2026-11-25T23:15:29.781+01:00", kNow), kNow);
  EXPECT_EQ(parse_moment("2026-11-25t17:45:29.781-04:30", kNow), kNow);
  EXPECT_EQ(date_text(*parse_moment("2024-02-29", kNow)), "2024-02-29");
}

TEST(Moment, RefusesWhatItCannotBe) {
  for (const char* text : {"",
                           "7",
                           "d",
                           "-7d",
                           "7 d",
                           "7dd",
                           "7y",
                           "999999999999w",
                           "99999999999999999999d",
                           "2026-13-01",
                           "2026-02-30",
                           "2026-1-1",
                           "1969-12-31",
                           "yesterday",
                           "2026-11-25T",
                           "2026-11-25T25:00:00Z",
                           "2026-11-25T22:15:29",
                           "2026-11-25T22:15:29.Z",
                           "2026-11-25T22:15:29Zz",
                           "now"}) {
    EXPECT_FALSE(parse_moment(text, kNow)) << text;
  }
}

TEST(Moment, AWeekBeginsOnMonday) {
  EXPECT_EQ(date_text(week_start(kNow)), "2026-11-23");
  EXPECT_EQ(date_text(week_start(*parse_moment("2026-11-23", kNow))), "2026-11-23");
  EXPECT_EQ(date_text(week_start(*parse_moment("2026-11-23", kNow) - 1)), "2026-11-16");
}

TEST(Moment, DaysHoldBothEnds) {
  const auto one = parse_days("2026-11-21");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->count(), 1);
  EXPECT_EQ(days_text(*one), "2026-11-21");
  const auto week = parse_days("2026-11-01..2026-11-07");
  ASSERT_TRUE(week);
  EXPECT_EQ(week->count(), 7);
  EXPECT_EQ(moment_text(week->until_unix_ms), "2026-11-08T00:00:00Z");
  EXPECT_EQ(days_text(*week), "2026-11-01..2026-11-07");
  for (const char* text :
       {"", "7d", "2026-11-07..2026-11-01", "2026-11-07..", "2026-11-07.2026-11-08", "2026-11-07 "}) {
    EXPECT_FALSE(parse_days(text)) << text;
  }
}

}  // namespace
}  // namespace weir::accounting
