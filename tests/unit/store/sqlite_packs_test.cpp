#include <gtest/gtest.h>

#include "store/sqlite_pack.hpp"
#include "store/sqlite_schema.hpp"
#include "unit/store/sqlite_sums.hpp"

namespace weir::store {
namespace {

using namespace sqlite;

constexpr std::int64_t kEnd = kBegin + 20 * 24 * kHour;

std::int64_t number(const Folder& folder, const char* sql) {
  auto database = open_for_reading(folder.file());
  EXPECT_TRUE(database);
  const auto found = database->number(sql);
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found.value_or(-1);
}

class SqlitePacks : public SqliteSums {
 protected:
  void expect_sums_by_user_and_tag() {
    for (const auto& [since, until] :
         {std::pair{kBegin, kEnd}, std::pair{kBegin + 12'345, kBegin + 50 * kHour + 777},
          std::pair{kBegin + kHour - 5, kBegin + kHour + 1'800'000}, std::pair{kEnd - 1, kEnd + 9 * kHour}}) {
      expect_sums({since, until, {Dimension::user}, ""});
      expect_sums({since, until, {Dimension::tag, Dimension::model, Dimension::failure}, "team"});
      expect_sums({since, until, {Dimension::user, Dimension::day, Dimension::provider, Dimension::outcome}, ""});
      expect_sums({since, until, {Dimension::week, Dimension::hour, Dimension::tag, Dimension::group}, "region"});
    }
  }
  std::int64_t packs() { return number(folder_, "SELECT count(*) FROM packs"); }
  std::int64_t outdated() { return number(folder_, "SELECT count(*) FROM packs WHERE bytes IS NULL"); }
};

TEST_F(SqlitePacks, SumsAreThoseOfTheRowsWhateverIsPacked) {
  EXPECT_EQ(packs(), 0);
  expect_sums_by_user_and_tag();
  ASSERT_TRUE(store_->upkeep(kBegin + 7 * 24 * kHour + 1'234'567));  // a third of it
  const std::int64_t some = packs();
  EXPECT_GT(some, 7 * 24 - 20);
  expect_sums_by_user_and_tag();
  ASSERT_TRUE(store_->upkeep(kEnd + 10 * kHour));
  EXPECT_GT(packs(), some);
  expect_sums_by_user_and_tag();
}

TEST_F(SqlitePacks, FollowOneAnotherWithoutAGap) {
  ASSERT_TRUE(store_->upkeep(kEnd + 10 * kHour));
  EXPECT_EQ(number(folder_, "SELECT min(begin) FROM packs"), 0);
  EXPECT_EQ(
      number(folder_, "SELECT count(*) FROM packs p WHERE NOT EXISTS (SELECT 1 FROM packs n WHERE n.begin = p.until)"),
      1);  // the last
}

TEST_F(SqlitePacks, ACallThatComesLateIsInTheSumsAtOnceAndPackedByTheNextUpkeep) {
  ASSERT_TRUE(store_->upkeep(kEnd + 10 * kHour));
  LedgerBatch late = random_batch(rows_, 3, kBegin + 30 * kHour, 1);
  rows_.add_call(late, kBegin - 900 * 24 * kHour);  // a clock that was years behind
  ASSERT_TRUE(store_->append(late));
  for (const CallRow& call : late.calls) {
    const auto first = static_cast<std::uint32_t>(all_.attempts.size());
    for (const AttemptRow& attempt : late.attempts_of(call)) all_.attempts.push_back(attempt);
    all_.calls.push_back(call);
    all_.calls.back().first_attempt = first;
  }
  EXPECT_EQ(outdated(), 2);
  expect_sums_by_user_and_tag();
  expect_sums({0, kEnd, {Dimension::user}, ""});
  ASSERT_TRUE(store_->upkeep(kEnd + 10 * kHour));
  EXPECT_EQ(outdated(), 0);
  expect_sums_by_user_and_tag();
  expect_sums({0, kEnd, {Dimension::user, Dimension::hour}, ""});
  // Given once more, they are nothing new.
  ASSERT_TRUE(store_->append(late));
  EXPECT_EQ(outdated(), 0);
}

TEST_F(SqlitePacks, AnotherProcessesPacksAreOutdatedToo) {
  auto other = open_store(folder_.file(), 2);
  ASSERT_TRUE(store_->append(random_batch(rows_, 1, kBegin - kHour, 1)));  // it has seen that there are none
  ASSERT_TRUE(other->upkeep(kEnd + 10 * kHour));
  ASSERT_TRUE(store_->append(random_batch(rows_, 1, kBegin + 40 * kHour, 1)));
  EXPECT_EQ(outdated(), 1);
}

TEST_F(SqlitePacks, CallsThatMayStillBeComingAreNotPacked) {
  ASSERT_TRUE(store_->upkeep(kBegin + 10 * kHour + 60'000));
  EXPECT_LE(number(folder_, "SELECT max(until) >> 22 FROM packs"), kBegin + 10 * kHour);
}

TEST_F(SqlitePacks, AFileOfTheVersionBeforeGetsThem) {
  store_.reset();
  reader_.reset();
  {
    auto database = open_for_writing(folder_.file());
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->run("DROP TABLE packs; PRAGMA user_version = 1"));
  }
  reader_ = open_reader(folder_.file());  // `weir report` of this version, before any weir of it served
  expect_sums({kBegin, kEnd, {Dimension::user}, ""});
  store_ = open_store(folder_.file(), 3);
  EXPECT_EQ(number(folder_, "PRAGMA user_version"), kSchemaVersion);
  expect_sums({kBegin, kEnd, {Dimension::user}, ""});
  ASSERT_TRUE(store_->upkeep(kEnd + 10 * kHour));
  EXPECT_GT(packs(), 100);
  expect_sums_by_user_and_tag();
}

TEST_F(SqlitePacks, BytesThatAreNoPackAreAnErrorThatNamesTheFile) {
  ASSERT_TRUE(store_->upkeep(kEnd + 10 * kHour));
  store_.reset();
  {
    auto database = open_for_writing(folder_.file());
    ASSERT_TRUE(database->run("UPDATE packs SET bytes = substr(bytes, 1, length(bytes) - 1)"));
  }
  const auto sums = reader_->sums({kBegin, kEnd, {Dimension::user}, ""});
  ASSERT_FALSE(sums);
  EXPECT_NE(sums.error().message.find(folder_.file()), std::string::npos);
}

TEST(SqlitePack, AddsUpWhatIsAlikeAndGivesBackTheRest) {
  PackWriter writer;
  Part part;
  part.user = -77;
  part.who = 3;
  part.tags = "team=a";
  part.sums[Sum::calls] = 1;
  part.sums[Sum::saved] = -5;
  part.sums[Sum::cost] = std::int64_t{1} << 62;
  writer.add(part);
  part.sums[Sum::cost] = 1;
  writer.add(part);
  part.target = 9;
  part.failure = 12;
  part.tags = "";
  writer.add(part);
  const std::string bytes = writer.write();

  PackReader reader(bytes);
  Part first;
  ASSERT_TRUE(reader.next(first));
  EXPECT_EQ(first.tags, "team=a");
  EXPECT_EQ(first.sums[Sum::calls], 2);
  EXPECT_EQ(first.sums[Sum::saved], -10);
  EXPECT_EQ(first.sums[Sum::cost], (std::int64_t{1} << 62) + 1);
  Part second;
  ASSERT_TRUE(reader.next(second));
  EXPECT_EQ(second.user, -77);
  EXPECT_EQ(second.target, 9);
  EXPECT_EQ(second.failure, 12);
  EXPECT_FALSE(reader.next(second));
  EXPECT_TRUE(reader.sound());
}

TEST(SqlitePack, NoBytesMakeItReadBeyondThem) {
  PackWriter writer;
  LedgerRows dice(5);
  for (int i = 0; i < 20; ++i) {
    Part part;
    part.user = dice.below(5);
    part.who = dice.below(300);
    part.tags = "team=b";
    for (std::int64_t& sum : part.sums.of) sum = dice.below(1 << 20) - 1'000;
    writer.add(part);
  }
  const std::string bytes = writer.write();
  for (int i = 0; i < 20'000; ++i) {
    std::string spoilt = bytes.substr(0, static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(bytes.size()))));
    for (int flips = 0; flips < 3 && !spoilt.empty(); ++flips) {
      spoilt[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(spoilt.size())))] =
          static_cast<char>(dice.below(256));
    }
    PackReader reader(spoilt);
    Part part;
    for (int parts = 0; reader.next(part); ++parts) ASSERT_LT(parts, 10'000);
  }
}

}  // namespace
}  // namespace weir::store
