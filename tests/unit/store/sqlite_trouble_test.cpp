// What the ledger does when its file is full, locked, read-only, broken, foreign, gone, or its process is killed.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "fakes/ledger_rows.hpp"
#include "store/ledger.hpp"

namespace weir::store {
namespace {

using fakes::Folder;
using fakes::LedgerRows;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kBegin = 1'763'701'200'000;

LedgerBatch batch_of(LedgerRows& rows, int calls) {
  LedgerBatch batch;
  for (int i = 0; i < calls; ++i) rows.add_call(batch, kBegin + i);
  return batch;
}

void run_sql(const std::string& path, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, &error), SQLITE_OK) << (error != nullptr ? error : "");
  sqlite3_close(handle);
}

std::string text_of(const std::string& path, const char* sql) {
  sqlite3* handle = nullptr;
  sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
  std::string text;
  sqlite3_exec(
      handle, sql,
      [](void* to, int, char** values, char**) {
        *static_cast<std::string*>(to) += values[0] != nullptr ? values[0] : "null";
        return 0;
      },
      &text, nullptr);
  sqlite3_close(handle);
  return text;
}

/// Runs in a process of its own, which may change its user or limits; true = it returned true.
bool in_child(const std::function<bool()>& run) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(SqliteTrouble, ALockedFileIsAnErrorUntilItIsFree) {
  const Folder folder;
  auto store = open_sqlite_ledger(folder.file(), 1);
  ASSERT_TRUE(store);
  LedgerRows rows(1);
  const LedgerBatch batch = batch_of(rows, 10);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto locked = (*store)->append(batch);
  ASSERT_FALSE(locked);
  EXPECT_THAT(locked.error().message, AllOf(HasSubstr("stores.ledger"), HasSubstr("locked")));
  EXPECT_EQ((*store)->calls_written(), 0U);
  sqlite3_close(other);
  ASSERT_TRUE((*store)->append(batch));
  EXPECT_EQ((*store)->calls_written(), 10U);
}

TEST(SqliteTrouble, AFullDiskIsAnErrorUntilThereIsRoom) {
  const Folder folder;
  EXPECT_TRUE(in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    auto store = open_sqlite_ledger(folder.file(), 1);
    LedgerRows rows(2);
    if (!store || !(*store)->append(batch_of(rows, 50))) return false;
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{256U << 10, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const LedgerBatch large = batch_of(rows, 5'000);
    for (int i = 0; i < 2; ++i) {
      const auto refused = (*store)->append(large);
      if (refused || refused.error().message.find("stores.ledger") == std::string::npos) return false;
    }
    if ((*store)->calls_written() != 50) return false;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return (*store)->append(large).has_value() && (*store)->calls_written() == 5'050;
  }));
  EXPECT_EQ(text_of(folder.file(), "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(text_of(folder.file(), "SELECT count(*) FROM call_rows"), "5050");
  EXPECT_EQ(text_of(folder.file(), "SELECT sum(calls) FROM hours"), "5050");
}

TEST(SqliteTrouble, AReadOnlyFileIsRefusedAndSaysWhat) {
  const Folder folder;
  ASSERT_TRUE(open_sqlite_ledger(folder.file(), 1));
  std::filesystem::permissions(folder.file(), std::filesystem::perms(0444));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  EXPECT_TRUE(in_child([&] {
    if (::getuid() == 0 && ::setuid(65'534) != 0) return false;  // root may write everything
    const auto refused = open_sqlite_ledger(folder.file(), 2);
    return !refused && refused.error().message.find("stores.ledger") == 0 &&
           refused.error().message.find("write access") != std::string::npos;
  }));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0700));
}

TEST(SqliteTrouble, ACorruptFileIsRefusedAndSaysWhat) {
  const Folder folder;
  std::ofstream(folder.file()) << std::string(10'000, 'x');
  const auto refused = open_sqlite_ledger(folder.file(), 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("stores.ledger"), HasSubstr(folder.file()), HasSubstr("move it away")));
  EXPECT_FALSE(open_sqlite_reader(folder.file()));
}

TEST(SqliteTrouble, PagesThatBreakWhileItRunsAreAnErrorUntilTheFileIsMovedAway) {
  const Folder folder;
  LedgerRows rows(3);
  {
    auto store = open_sqlite_ledger(folder.file(), 1);
    ASSERT_TRUE((*store)->append(batch_of(rows, 500)));
  }
  const auto size = std::filesystem::file_size(folder.file());
  {
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4'096);
    file << std::string(size - 4'096, '\xee');  // all pages but the first
  }
  auto store = open_sqlite_ledger(folder.file(), 2);
  const LedgerBatch batch = batch_of(rows, 5);
  if (store) {
    const auto refused = (*store)->append(batch);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr("stores.ledger"), HasSubstr("not a sound SQLite file")));
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(folder.file() + end);
    ASSERT_TRUE((*store)->append(batch));
    EXPECT_EQ((*store)->calls_written(), 5U);
  } else {
    EXPECT_THAT(store.error().message, AllOf(HasSubstr("stores.ledger"), HasSubstr("not a sound SQLite file")));
  }
}

TEST(SqliteTrouble, AFileThatIsMovedAwayIsMadeAnew) {
  const Folder folder;
  auto store = open_sqlite_ledger(folder.file(), 1);
  LedgerRows rows(4);
  ASSERT_TRUE((*store)->append(batch_of(rows, 7)));
  std::filesystem::rename(folder.file(), folder.file("old.db"));
  ASSERT_TRUE((*store)->append(batch_of(rows, 5)));
  EXPECT_EQ((*store)->calls_written(), 12U);
  EXPECT_EQ(text_of(folder.file(), "SELECT count(*) FROM call_rows"), "5");
}

TEST(SqliteTrouble, AnotherProgramsFileAndANewerSchemaAreRefused) {
  const Folder folder;
  run_sql(folder.file("other.db"), "CREATE TABLE t(a)");
  const auto other = open_sqlite_ledger(folder.file("other.db"), 1);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, AllOf(HasSubstr("stores.ledger"), HasSubstr("another program")));

  ASSERT_TRUE(open_sqlite_ledger(folder.file(), 1));
  run_sql(folder.file(), "PRAGMA user_version = 99");
  for (const bool reads : {false, true}) {
    const auto error = reads ? open_sqlite_reader(folder.file()).error() : open_sqlite_ledger(folder.file(), 1).error();
    EXPECT_THAT(error.message, AllOf(HasSubstr("stores.ledger"), HasSubstr("newer weir"), HasSubstr("99")));
  }
}

TEST(SqliteTrouble, AReaderWithoutALedgerSaysHowToMakeOne) {
  const Folder folder;
  const auto missing = open_sqlite_reader(folder.file());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, AllOf(HasSubstr(folder.file()), HasSubstr("weir serve")));
}

TEST(SqliteTrouble, AKilledWriterLeavesASoundFileThatKnowsWhatItHas) {
  // Shared with the child: calls of batches whose append() had returned.
  auto* const promised = static_cast<std::atomic<std::uint64_t>*>(
      ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const Folder folder;
  LedgerRows dice(7);
  std::uint64_t total = 0;
  for (std::uint64_t round = 1; round <= 12; ++round) {
    *promised = 0;
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = open_sqlite_ledger(folder.file(), round);
      LedgerRows rows(1'000 + round);
      while (store && (*store)->append(batch_of(rows, 20))) *promised = (*store)->calls_written();
      ::_exit(1);
    }
    // In every other round not before it has written; in the others the kill may come at any time.
    for (int i = 0; round % 2 == 0 && *promised == 0 && i < 60'000; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(60 + dice.below(60)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    auto store = open_sqlite_ledger(folder.file(), 100);
    ASSERT_TRUE(store);
    const auto calls = (*store)->calls_of(round);
    ASSERT_TRUE(calls);
    const std::uint64_t kept = calls->value_or(0);
    EXPECT_GE(kept, promised->load()) << "what append() said is durable";
    EXPECT_LE(kept, promised->load() + 20) << "at most the batch under way";
    EXPECT_EQ(kept % 20, 0U) << "whole transactions";
    total += kept;
  }
  EXPECT_GT(total, 0U);
  EXPECT_EQ(text_of(folder.file(), "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(text_of(folder.file(), "SELECT count(*) FROM call_rows"), std::to_string(total));
  EXPECT_EQ(text_of(folder.file(), "SELECT sum(calls) FROM hours"), std::to_string(total));
  EXPECT_EQ(text_of(folder.file(), "SELECT (SELECT sum(cost) FROM hours) - (SELECT sum(cost) FROM attempts)"), "0");
  ::munmap(promised, sizeof(*promised));
}

TEST(SqliteTrouble, TheViewsShowCallsAndAttempts) {
  const Folder folder;
  auto store = open_sqlite_ledger(folder.file(), 1);
  LedgerRows rows(8);
  const LedgerBatch batch = batch_of(rows, 100);
  ASSERT_TRUE((*store)->append(batch));
  EXPECT_EQ(text_of(folder.file(), "SELECT count(*) FROM calls"), "100");
  EXPECT_EQ(text_of(folder.file(), "SELECT count(*) FROM attempts"), std::to_string(batch.attempts.size()));
  EXPECT_EQ(text_of(folder.file(), "SELECT started FROM calls LIMIT 1"), "2025-11-21T05:00:00.000Z");
}

TEST(SqliteTrouble, TheExamplesOfTheDocumentationRun) {
  const Folder folder;
  auto store = open_sqlite_ledger(folder.file(), 1);
  LedgerRows rows(9);
  ASSERT_TRUE((*store)->append(batch_of(rows, 100)));
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/docs/ledger.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  int examples = 0;
  for (std::size_t at = page.find("```sql"); at != std::string::npos; at = page.find("```sql", at + 1)) {
    const std::string sql = page.substr(at + 6, page.find("```", at + 6) - at - 6);
    SCOPED_TRACE(sql);
    run_sql(folder.file(), sql.c_str());
    ++examples;
  }
  EXPECT_EQ(examples, 6);
}

}  // namespace
}  // namespace weir::store
