#include "dialects/vocabulary/stream_tally.hpp"

#include <gtest/gtest.h>

namespace {

using namespace weir::vocabulary;

TEST(StreamTally, Semantics16AStartAndSilenceAreNoContent) {
  StreamTally tally;
  tally.add(StreamStart{.id = {}, .model = Text::plain("m"), .created = 0, .usage = {}});
  tally.add(Ping{});
  tally.add(TextDelta{});
  EXPECT_FALSE(tally.content_seen());
  EXPECT_EQ(tally.model(), "m");
  tally.add(TextDelta{0, Text::plain("abc")});
  EXPECT_TRUE(tally.content_seen());
  EXPECT_EQ(tally.text_bytes(), 3U);
}

TEST(StreamTally, TheLatestUsageReplacesTheOneBefore) {
  StreamTally tally;
  tally.add(UsageSnapshot{{.usage = {.uncached = 5, .output = 1, .reported = true}, .details = {}}});
  tally.add(UsageSnapshot{{.usage = {.uncached = 5, .output = 9, .reported = true}, .details = {}}});
  EXPECT_EQ(tally.usage().output, 9);
  EXPECT_FALSE(tally.done());
  tally.add(Done{});
  EXPECT_TRUE(tally.done());
}

}  // namespace
