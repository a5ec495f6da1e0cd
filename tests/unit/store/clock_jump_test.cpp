#include <gtest/gtest.h>

#include <array>
#include <set>

#include <weir/base/clock.hpp>
#include "unit/store/sqlite_sums.hpp"

// A wall clock that jumps (issue 4): what is measured follows the steady clock, rows and keys the wall clock.
namespace weir::store {
namespace {

static_assert(Clock::is_steady, "waits, limits, group commit and circuits do not see the wall clock jump");

/// What the clock said when calls began: hours forward and back, years, a step of a millisecond.
constexpr std::int64_t kYear = 365 * 24 * kHour;
constexpr std::array kClock{kBegin,         kBegin + 5 * kHour,  kBegin - 9 * kHour, kBegin - 9 * kHour - 1,
                            kBegin - kYear, kBegin + 13 * kYear, kBegin + 1'000,     kBegin + 999};

class ClockJumps : public SqliteSums {
 protected:
  void SetUp() override {
    store_ = open_store(folder_.file());
    reader_ = open_reader(folder_.file());
  }
  void append_at(std::int64_t clock) {
    LedgerBatch batch = random_batch(rows_, 40, clock, 100);
    ASSERT_TRUE(store_->append(batch));
    for (const CallRow& call : batch.calls) {
      const auto first = static_cast<std::uint32_t>(all_.attempts.size());
      for (const AttemptRow& attempt : batch.attempts_of(call)) all_.attempts.push_back(attempt);
      all_.calls.push_back(call);
      all_.calls.back().first_attempt = first;
    }
    parts_.push_back(std::move(batch));
  }
  void expect_all() {
    for (const auto& by : std::vector<std::vector<Dimension>>{{},
                                                              {Dimension::hour},
                                                              {Dimension::task, Dimension::model},
                                                              {Dimension::user},
                                                              {Dimension::user, Dimension::day}}) {
      expect_sums({0, kBegin + 13 * kYear + kHour, by, ""});
      expect_sums({kBegin - 9 * kHour, kBegin + 500, by, ""});
    }
  }
};

TEST_F(ClockJumps, EveryCallIsOnceInRowsAndSumsUnderTheTimeItsClockSaid) {
  for (const std::int64_t clock : kClock) append_at(clock);
  EXPECT_EQ(store_->calls_written(), kClock.size() * 40);
  std::set<std::string_view> ids;
  for (const CallRow& call : all_.calls) ids.insert(call.id.text());
  EXPECT_EQ(ids.size(), all_.calls.size());
  expect_all();
  for (std::size_t i = 0; i < all_.calls.size(); i += 17) {
    EXPECT_EQ(reader_->find_calls(all_.calls[i].id.text(), 0, 10)->calls.size(), 1U);
  }
  // The newest by the clock come first, whatever came last.
  const auto recent = reader_->recent_calls(40);
  ASSERT_TRUE(recent);
  for (const CallRow& call : recent->calls) EXPECT_GE(call.started_unix_ms, kBegin + 13 * kYear);
}

TEST_F(ClockJumps, UpkeepFollowsTheClockWithoutLosingOrDoubling) {
  for (const std::int64_t clock : kClock) {
    append_at(clock);
    ASSERT_TRUE(store_->upkeep(clock + kHour));  // packs everything up to what the clock says now
    expect_all();
  }
  // Back at the right time: what came between is packed anew, minute by minute.
  for (int minute = 0; minute < 3; ++minute) {
    append_at(kBegin + minute * 60'000);
    ASSERT_TRUE(store_->upkeep(kBegin + minute * 60'000 + 30'000));
    expect_all();
  }
}

TEST_F(ClockJumps, TheSameBatchGivenAgainAfterAJumpIsNotBookedTwice) {
  append_at(kBegin);
  append_at(kBegin - 9 * kHour);
  for (const LedgerBatch& batch : parts_) ASSERT_TRUE(store_->append(batch));
  EXPECT_EQ(store_->calls_written(), 80U);
  expect_all();
}

TEST_F(ClockJumps, TextsGoWhenTheClockSaysSoAndStayWhenItGoesBack) {
  LedgerBatch batch = random_batch(rows_, 1, kBegin, 1);
  batch.calls[0].request_text = "asked";
  batch.calls[0].text_until_unix_ms = kBegin + kHour;
  ASSERT_TRUE(store_->append(batch));
  ASSERT_TRUE(store_->upkeep(kBegin - kYear));
  EXPECT_EQ(reader_->recent_calls(1)->calls[0].request_text, "asked");
  ASSERT_TRUE(store_->upkeep(kBegin + kHour));
  EXPECT_EQ(reader_->recent_calls(1)->calls[0].request_text, "");
}

TEST(ClockJump, IdsAreUniqueAlsoWhenTheClockStandsOrGoesBack) {
  Random random(7);
  std::set<std::string> ids;
  for (int round = 0; round < 3; ++round) {
    for (const std::int64_t clock : kClock) {
      for (int i = 0; i < 1'000; ++i) ids.emplace(CallId::make(clock, random).text());
    }
  }
  EXPECT_EQ(ids.size(), 3 * kClock.size() * 1'000);
}

}  // namespace
}  // namespace weir::store
