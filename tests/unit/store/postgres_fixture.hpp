#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "store/postgres_ledger.hpp"
#include "store/postgres_reader.hpp"
#include "unit/store/postgres_batches.hpp"
#include "unit/store/postgres_server.hpp"

namespace weir::store {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// Quick to come back, but patient with a busy machine.
inline const PostgresLimits kQuick{.try_again = 400ms, .wait_max = 300ms};
/// For tests in which a statement is to take too long.
inline const PostgresLimits kImpatient{.statement = 1s, .try_again = 400ms, .wait_max = 300ms};

/// A database and a spool folder of its own for each test.
class PostgresFixture : public testing::Test {
 protected:
  PostgresFixture() : server_(PostgresServer::get()), url_(server_.fresh_database()) {
    folder_ = (std::filesystem::temp_directory_path() / "weir-spool-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~PostgresFixture() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<PostgresLedger> open(std::uint64_t instance = 1, const PostgresLimits& limits = kQuick) {
    auto ledger = PostgresLedger::open(url_, folder_, instance, limits);
    if (!ledger) throw std::runtime_error(ledger.error().message);
    return std::move(*ledger);
  }
  std::unique_ptr<PostgresReader> reader() {
    auto made = PostgresReader::open(url_);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }
  /// Upkeep until the spool is empty.
  static void settle(PostgresLedger& ledger) {
    const auto give_up = Clock::now() + 120s;
    while (ledger.calls_spooled() > 0 && Clock::now() < give_up) {
      ASSERT_TRUE(ledger.upkeep(0));
      std::this_thread::sleep_for(20ms);
    }
    EXPECT_EQ(ledger.calls_spooled(), 0U);
  }
  /// The ledger holds exactly these calls, each once, and the hourly sums know it.
  void expect_holds(const std::vector<const LedgerBatch*>& batches) {
    const auto found = reader()->recent_calls(100'000);
    ASSERT_TRUE(found) << found.error().message;
    std::map<std::string, std::string, std::less<>> read;
    for (const CallRow& call : found->calls) read.emplace(call.id.text(), text_of(*found, call));
    EXPECT_EQ(read.size(), found->calls.size());
    std::size_t written = 0;
    for (const LedgerBatch* const batch : batches) {
      for (const CallRow& call : batch->calls) {
        const auto at = read.find(call.id.text());
        ASSERT_NE(at, read.end());
        EXPECT_EQ(at->second, text_of(*batch, call));
        ++written;
      }
    }
    EXPECT_EQ(read.size(), written);
    expect_sums(
        batches,
        {.since_unix_ms = 0, .until_unix_ms = kStart * 2, .by = {Dimension::task, Dimension::model}, .tag = {}});
  }
  void expect_sums(const std::vector<const LedgerBatch*>& batches, const SumQuery& query) {
    const auto rows = reader()->sums(query);
    ASSERT_TRUE(rows) << rows.error().message;
    const auto wanted = brute_sums(batches, query);
    EXPECT_EQ(rows->size(), wanted.size());
    std::int64_t dearest = std::numeric_limits<std::int64_t>::max();
    for (const SumRow& row : *rows) {
      std::string key;
      for (const std::string& label : row.by) key += label + "|";
      const auto at = wanted.find(key);
      ASSERT_NE(at, wanted.end()) << key;
      EXPECT_EQ(text_of(row), text_of(at->second)) << key;
      EXPECT_LE(row.cost.value, dearest) << "dearest first";
      dearest = row.cost.value;
    }
  }
  static std::vector<const LedgerBatch*> all_of(const std::vector<LedgerBatch>& batches) {
    std::vector<const LedgerBatch*> all;
    for (const LedgerBatch& batch : batches) all.push_back(&batch);
    return all;
  }
  std::int64_t ask_number(const std::string& sql) {
    PostgresConnection connection = server_.connect(url_);
    const auto rows = connection.ask(sql, Clock::now() + 60s);
    if (!rows) throw std::runtime_error(rows.error().message);
    return rows->count() > 0 ? rows->number(0, 0) : 0;
  }
  std::size_t files_in_folder() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }

  PostgresServer& server_;
  std::string url_;
  std::string folder_;
  Random random_{42};
};

}  // namespace weir::store
