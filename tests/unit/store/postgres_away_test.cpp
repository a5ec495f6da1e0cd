// The database stops, stands still, is slow, or weir is killed: nothing is lost and nothing is booked twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/store/postgres_fixture.hpp"

namespace weir::store {
namespace {

using PostgresAwayTest = PostgresFixture;

TEST_F(PostgresAwayTest, BatchesWaitOnDiskWhileItIsStoppedAndAreWrittenOnce) {
  std::vector<LedgerBatch> batches;
  for (int i = 0; i < 9; ++i) batches.push_back(random_batch(random_, 40));
  const auto ledger = open();
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(ledger->append(batches[i]));
  server_.stop();
  testing::internal::CaptureStderr();
  for (std::size_t i = 3; i < 6; ++i) ASSERT_TRUE(ledger->append(batches[i]));
  const std::string gone = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(gone, '\n'), 1) << gone;
  EXPECT_THAT(gone, HasSubstr("is away"));
  EXPECT_THAT(gone, Not(HasSubstr("cret")));
  EXPECT_EQ(ledger->calls_spooled(), 120U);
  EXPECT_EQ(ledger->calls_written(), 240U) << "on disk is durable";
  EXPECT_EQ(std::filesystem::status(postgres_spool_file(folder_, 1)).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  server_.start();
  std::this_thread::sleep_for(kQuick.wait_max);
  testing::internal::CaptureStderr();
  for (std::size_t i = 6; i < 9; ++i) ASSERT_TRUE(ledger->append(batches[i]));
  settle(*ledger);
  const std::string back = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(back, '\n'), 1) << back;
  EXPECT_THAT(back, HasSubstr("is back"));
  EXPECT_EQ(files_in_folder(), 0U) << "the spool is removed";
  expect_holds(all_of(batches));
}

TEST_F(PostgresAwayTest, ADatabaseThatStandsStillDoesNotHoldAppendUp) {
  std::vector<LedgerBatch> batches;
  for (int i = 0; i < 6; ++i) batches.push_back(random_batch(random_, 20));
  const auto ledger = open(1, kImpatient);
  ASSERT_TRUE(ledger->append(batches[0]));
  settle(*ledger);  // on a busy machine its statement may have been too slow for that limit
  server_.freeze();
  for (std::size_t i = 1; i < 6; ++i) {
    const TimePoint begin = Clock::now();
    EXPECT_TRUE(ledger->append(batches[i]));
    // One statement's limit for the first, one try's for the others; far from waiting for ever.
    EXPECT_LT(Clock::now() - begin, 20s);
  }
  EXPECT_EQ(ledger->calls_spooled(), 100U);
  EXPECT_TRUE(ledger->away());
  server_.thaw();
  settle(*ledger);
  // What was on its way when it froze may have been done after all: it is there once.
  expect_holds(all_of(batches));
}

TEST_F(PostgresAwayTest, AStatementThatTakesTooLongGoesToTheSpool) {
  const LedgerBatch batch = random_batch(random_, 20);
  const auto ledger = open(1, kImpatient);
  PostgresConnection holder = server_.connect(url_);
  ASSERT_TRUE(holder.ask("BEGIN", Clock::now() + 60s));
  ASSERT_TRUE(holder.ask("LOCK TABLE weir_calls IN ACCESS EXCLUSIVE MODE", Clock::now() + 60s));
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_spooled(), 20U);
  ASSERT_TRUE(holder.ask("COMMIT", Clock::now() + 60s));
  settle(*ledger);
  expect_holds({&batch});
}

TEST_F(PostgresAwayTest, ItMayBeAwayWhenWeirStarts) {
  const LedgerBatch batch = random_batch(random_, 20);
  server_.stop();
  testing::internal::CaptureStderr();
  const auto ledger = open();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("is away"));
  ASSERT_TRUE(ledger->append(batch));
  server_.start();
  settle(*ledger);
  expect_holds({&batch});
}

TEST_F(PostgresAwayTest, TheSpoolOfAnEarlierProcessIsReplayedAtTheStart) {
  std::vector<LedgerBatch> batches;
  for (int i = 0; i < 4; ++i) batches.push_back(random_batch(random_, 20));
  {
    const auto ledger = open(1);
    server_.stop();
    ASSERT_TRUE(ledger->append(batches[0]));
    ASSERT_TRUE(ledger->append(batches[1]));
    // A second weir on this machine leaves the first one's file alone while that one lives.
    const auto second = open(2);
    EXPECT_EQ(second->calls_spooled(), 0U);
    ASSERT_TRUE(second->append(batches[2]));
  }
  const auto third = open(3);
  EXPECT_EQ(third->calls_spooled(), 60U) << "still away";
  ASSERT_TRUE(third->append(batches[3]));
  server_.start();
  settle(*third);
  EXPECT_EQ(files_in_folder(), 0U);
  expect_holds(all_of(batches));
}

TEST_F(PostgresAwayTest, ASpoolLeftByANeighbourThatDiedLaterIsFoundByUpkeep) {
  const LedgerBatch batch = random_batch(random_, 20);
  auto neighbour = open(1);
  server_.stop();
  ASSERT_TRUE(neighbour->append(batch));
  server_.start();
  const auto ledger = open(2);
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  neighbour.reset();
  ASSERT_TRUE(ledger->upkeep(0));
  expect_holds({&batch});
}

TEST_F(PostgresAwayTest, AnIdleWeirEmptiesItsSpoolInUpkeep) {
  const LedgerBatch batch = random_batch(random_, 20);
  const auto ledger = open();
  server_.stop();
  ASSERT_TRUE(ledger->append(batch));
  server_.start();
  std::this_thread::sleep_for(kQuick.wait_max);
  ASSERT_TRUE(ledger->upkeep(0));
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  EXPECT_FALSE(ledger->away());
  expect_holds({&batch});
}

TEST_F(PostgresAwayTest, AFullSpoolIsSaidAndTakesAgainWhenItIsEmpty) {
  const LedgerBatch first = random_batch(random_, 20);
  const LedgerBatch lost = random_batch(random_, 20);
  const LedgerBatch last = random_batch(random_, 20);
  PostgresLimits small = kQuick;
  small.spool_bytes = 20'000;
  const auto ledger = open(1, small);
  server_.stop();
  ASSERT_TRUE(ledger->append(first));
  const auto refused = ledger->append(lost);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("stores.ledger"));
  EXPECT_THAT(refused.error().message, HasSubstr("full"));
  EXPECT_EQ(ledger->calls_written(), 20U);
  server_.start();
  settle(*ledger);
  ASSERT_TRUE(ledger->append(last));
  expect_holds({&first, &last});
}

TEST_F(PostgresAwayTest, ARefusedCallInTheSpoolDoesNotHoldUpTheOthers) {
  LedgerBatch bad = random_batch(random_, 1);
  bad.calls[0].id = CallId();
  const LedgerBatch good = random_batch(random_, 20);
  const auto ledger = open();
  server_.stop();
  ASSERT_TRUE(ledger->append(bad));
  ASSERT_TRUE(ledger->append(good));
  server_.start();
  testing::internal::CaptureStderr();
  settle(*ledger);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("refused 1 calls"));
  EXPECT_EQ(ledger->calls_rejected(), 1U);
  expect_holds({&good});
}

TEST_F(PostgresAwayTest, AKilledWeirLosesNothingThatItHadTaken) {
  ASSERT_TRUE(open(7));  // the tables
  server_.stop();
  int taken[2];
  ASSERT_EQ(pipe(taken), 0);
  const pid_t child = fork();
  if (child == 0) {
    // The same dice as below, so that the parent knows what was written.
    Random same(99);
    auto ledger = PostgresLedger::open(url_, folder_, 8, kQuick);
    for (;;) {
      const LedgerBatch batch = random_batch(same, 30);
      if (!ledger || !(*ledger)->append(batch) || write(taken[1], "+", 1) != 1) _exit(1);
    }
  }
  close(taken[1]);
  std::size_t acknowledged = 0;
  for (char c; acknowledged < 25 && read(taken[0], &c, 1) == 1;) ++acknowledged;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  for (char c; read(taken[0], &c, 1) == 1;) ++acknowledged;
  close(taken[0]);
  ASSERT_GE(acknowledged, 25U);
  // As if the kill had come in the middle of a write.
  std::ofstream(postgres_spool_file(folder_, 8), std::ios::app | std::ios::binary) << "WSP1 torn";

  server_.start();
  testing::internal::CaptureStderr();
  const auto ledger = open(9);
  settle(*ledger);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("torn by a crash"));
  EXPECT_EQ(ledger->torn(), 1U);
  const std::size_t found = reader()->recent_calls(100'000)->calls.size() / 30;
  EXPECT_GE(found, acknowledged);
  EXPECT_LE(found, acknowledged + 1) << "at most the one that it had not yet acknowledged";
  Random same(99);
  std::vector<LedgerBatch> batches;
  for (std::size_t i = 0; i < found; ++i) batches.push_back(random_batch(same, 30));
  expect_holds(all_of(batches));
}

TEST_F(PostgresAwayTest, CallsInASpoolBelongToTheInstanceThatWroteThem) {
  const LedgerBatch batch = random_batch(random_, 20);
  {
    const auto ledger = open(5);
    server_.stop();
    ASSERT_TRUE(ledger->append(batch));
  }
  const auto ledger = open(6);
  EXPECT_FALSE(ledger->calls_of(5)) << "nobody knows while the database is away";
  EXPECT_FALSE(ledger->note_lost(5, 1));
  server_.start();
  settle(*ledger);
  EXPECT_EQ(ledger->calls_of(5)->value(), 20U);
  EXPECT_EQ(ledger->calls_of(6)->value(), 0U);
  expect_holds({&batch});
}

TEST_F(PostgresAwayTest, AKillInTheMiddleOfAReplayBooksNothingTwice) {
  std::vector<LedgerBatch> batches;
  for (int i = 0; i < 4; ++i) batches.push_back(random_batch(random_, 20));
  const std::string copy = folder_ + "/../" + std::filesystem::path(folder_).filename().string() + "-copy";
  {
    const auto ledger = open(1);
    server_.stop();
    for (const LedgerBatch& batch : batches) ASSERT_TRUE(ledger->append(batch));
    std::filesystem::copy_file(postgres_spool_file(folder_, 1), copy);
  }
  server_.start();
  settle(*open(2));
  // The file is there again, as if its removal had not reached the disk.
  std::filesystem::rename(copy, postgres_spool_file(folder_, 1));
  settle(*open(3));
  EXPECT_EQ(files_in_folder(), 0U);
  expect_holds(all_of(batches));
}

TEST_F(PostgresAwayTest, AFolderThatMayNotBeWrittenIsSaidAtTheStart) {
  std::ofstream(folder_ + "/file") << "x";
  const auto ledger = PostgresLedger::open(url_, folder_ + "/file/spool", 1);
  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error().message, HasSubstr("stores.ledger"));
  EXPECT_THAT(ledger.error().message, HasSubstr("folder"));
}

}  // namespace
}  // namespace weir::store
