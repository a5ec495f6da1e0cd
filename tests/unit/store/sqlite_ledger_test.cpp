#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <weir/base/clock.hpp>
#include "fakes/ledger_rows.hpp"
#include "store/ledger.hpp"
#include "store/sqlite_coding.hpp"
#include "unit/store/sqlite_sums.hpp"

namespace weir::store {
namespace {

void expect_same(const LedgerBatch& in, const CallRow& a, const LedgerBatch& out, const CallRow& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.request_id, b.request_id);
  EXPECT_EQ(a.started_unix_ms, b.started_unix_ms);
  EXPECT_EQ(a.took_us, b.took_us);
  EXPECT_EQ(a.first_byte_us, b.first_byte_us);
  EXPECT_EQ(std::tie(a.route, a.task, a.model, a.provider, a.key, a.group, a.user, a.tags),
            std::tie(b.route, b.task, b.model, b.provider, b.key, b.group, b.user, b.tags));
  EXPECT_EQ(std::tie(a.outcome, a.failure, a.phase, a.status, a.stream, a.raw, a.client_retry, a.reask, a.messages),
            std::tie(b.outcome, b.failure, b.phase, b.status, b.stream, b.raw, b.client_retry, b.reask, b.messages));
  EXPECT_EQ(std::tie(a.prompt_bytes, a.system_hash, a.prompt_hash, a.saved, a.attempts),
            std::tie(b.prompt_bytes, b.system_hash, b.prompt_hash, b.saved, b.attempts));
  EXPECT_EQ(std::tie(a.request_text, a.reply_text, a.text_until_unix_ms),
            std::tie(b.request_text, b.reply_text, b.text_until_unix_ms));
  for (std::uint32_t i = 0; i < std::min(a.attempts, b.attempts); ++i) {
    const AttemptRow& c = in.attempts_of(a)[i];
    const AttemptRow& d = out.attempts_of(b)[i];
    EXPECT_EQ(std::tie(c.provider, c.model, c.reply_model, c.provider_request_id, c.key_index, c.phases_us, c.failure),
              std::tie(d.provider, d.model, d.reply_model, d.provider_request_id, d.key_index, d.phases_us, d.failure));
    EXPECT_EQ(std::tie(c.phase, c.status, c.usage, c.cost, c.price, c.price_known, c.wasted),
              std::tie(d.phase, d.status, d.usage, d.cost, d.price, d.price_known, d.wasted));
    EXPECT_EQ(std::tie(c.may_have_been_billed, c.reused_connection),
              std::tie(d.may_have_been_billed, d.reused_connection));
  }
}

TEST(SqliteLedger, GivesBackEveryFieldOfEveryCall) {
  const Folder folder;
  LedgerRows rows(1);
  const LedgerBatch batch = random_batch(rows, 500);
  auto store = open_store(folder.file());
  ASSERT_TRUE(store->append(batch));
  EXPECT_EQ(store->calls_written(), 500U);

  auto found = open_reader(folder.file())->recent_calls(1'000);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->calls.size(), 500U);
  std::map<std::string_view, const CallRow*> by_id;
  for (const CallRow& call : found->calls) by_id[call.id.text()] = &call;
  for (const CallRow& call : batch.calls) {
    ASSERT_TRUE(by_id.contains(call.id.text()));
    expect_same(batch, call, *found, *by_id[call.id.text()]);
  }
  EXPECT_TRUE(std::ranges::is_sorted(found->calls, std::greater<>(), &CallRow::started_unix_ms));
}

TEST(SqliteLedger, IsReadableByItsOwnerOnlyAndMakesItsFolder) {
  const Folder folder;
  const std::string path = folder.file("state/weir/ledger.db");
  auto store = open_store(path);
  LedgerRows rows(2);
  ASSERT_TRUE(store->append(random_batch(rows, 3)));
  for (const char* end : {"", "-wal", "-shm"}) {
    struct stat about{};
    ASSERT_EQ(::stat((path + end).c_str(), &about), 0) << end;
    EXPECT_EQ(about.st_mode & 0777, 0600U) << end;
  }
}

TEST_F(SqliteSums, ByEveryDimensionAreThoseOfTheRows) {
  for (int by = 0; by <= static_cast<int>(Dimension::tag); ++by) {
    SCOPED_TRACE(by);
    expect_sums({kBegin, kBegin + 20 * 24 * kHour, {static_cast<Dimension>(by)}, "team"});
  }
  expect_sums({kBegin, kBegin + 20 * 24 * kHour, {}, ""});
  expect_sums({kBegin, kBegin + 20 * 24 * kHour, {Dimension::task, Dimension::model, Dimension::week}, ""});
}

TEST_F(SqliteSums, OfTimesWithinHoursAreExact) {
  for (const auto& [since, until] :
       {std::pair{kBegin + 12'345, kBegin + 50 * kHour + 777}, std::pair{kBegin + 90'000, kBegin + 2'000'000},
        std::pair{kBegin + kHour - 5, kBegin + kHour + 1'800'000},
        std::pair{kBegin + 30 * kHour, kBegin + 31 * kHour}}) {
    expect_sums({since, until, {Dimension::model}, ""});
    expect_sums({since, until, {Dimension::user, Dimension::task}, ""});
  }
}

TEST_F(SqliteSums, WithoutDimensionsAreOneRowAlsoOfNothing) {
  const auto sums = reader_->sums({0, 1'000, {}, ""});
  ASSERT_TRUE(sums);
  ASSERT_EQ(sums->size(), 1U);
  EXPECT_EQ(sums->front().calls, 0);
  EXPECT_TRUE(reader_->sums({0, 1'000, {Dimension::task}, ""})->empty());
}

TEST_F(SqliteSums, PeriodCountsUsersAndAddsUpModels) {
  const std::int64_t since = kBegin + 12'345;
  const std::int64_t until = kBegin + 100 * kHour + 99;
  std::set<std::string_view> users;
  SumRow total;
  for (const CallRow& call : all_.calls) {
    if (call.started_unix_ms >= since && call.started_unix_ms < until) users.insert(call.user);
  }
  const SumRow sum = brute_force(all_, {since, until, {}, ""}).front();
  const auto period = reader_->period(since, until);
  ASSERT_TRUE(period);
  EXPECT_EQ(period->users, static_cast<std::int64_t>(users.size()));
  EXPECT_EQ(period->calls, sum.calls);
  EXPECT_EQ(period->client_retries, sum.client_retries);
  EXPECT_EQ(period->messages, sum.messages);
  std::int64_t attempts = 0;
  NanoDollars cost;
  for (const ModelUse& use : period->models) {
    attempts += use.attempts;
    cost = cost + use.cost;
    EXPECT_EQ(use.price == Price{}, !use.price_known);
  }
  EXPECT_EQ(attempts, sum.attempts);
  EXPECT_EQ(cost, sum.cost);
}

TEST_F(SqliteSums, TheSameBatchAgainChangesNothing) {
  const SumQuery query{kBegin, kBegin + 20 * 24 * kHour, {Dimension::task, Dimension::model}, ""};
  for (const LedgerBatch& part : parts_) ASSERT_TRUE(store_->append(part));
  EXPECT_EQ(store_->calls_written(), 2'000U);
  expect_sums(query);
  store_ = open_store(folder_.file(), 2);  // another process that was handed the same
  for (const LedgerBatch& part : parts_) ASSERT_TRUE(store_->append(part));
  EXPECT_EQ(store_->calls_written(), 0U);
  expect_sums(query);
}

TEST_F(SqliteSums, FindsACallByItsOwnIdAndByItsClients) {
  int with_request_id = 0;
  for (std::size_t i = 0; i < all_.calls.size(); i += 97) {
    const CallRow& call = all_.calls[i];
    const auto found = reader_->find_calls(call.id.text(), kBegin + 400 * 24 * kHour, 10);  // own ids: whenever
    ASSERT_TRUE(found);
    ASSERT_EQ(found->calls.size(), 1U);
    expect_same(all_, call, *found, found->calls[0]);
    if (call.request_id.empty()) continue;
    ++with_request_id;
    EXPECT_EQ(reader_->find_calls(call.request_id, kBegin, 10)->calls.size(), 1U);
    EXPECT_EQ(reader_->find_calls(call.request_id, call.started_unix_ms + 1, 10)->calls.size(), 0U);
  }
  EXPECT_GT(with_request_id, 0);
  EXPECT_EQ(reader_->find_calls("nobody", 0, 10)->calls.size(), 0U);
}

TEST(SqliteLedger, CallsWhoseIdsEndAlikeAreAllKept) {
  const Folder folder;
  auto store = open_store(folder.file());
  LedgerRows rows(5);
  LedgerBatch batch = random_batch(rows, 4, kBegin, 1);
  for (std::size_t i = 0; i < batch.calls.size(); ++i) {  // the same time and last bits, other bits in between
    sqlite::IdBytes id{};
    ASSERT_TRUE(sqlite::parse_id(batch.calls[0].id.text(), id));
    id[9] = static_cast<unsigned char>(i);
    batch.calls[i].id = sqlite::id_from({reinterpret_cast<const char*>(id.data()), id.size()});
  }
  ASSERT_TRUE(store->append(batch));
  ASSERT_TRUE(store->append(batch));
  EXPECT_EQ(store->calls_written(), 4U);
  auto reader = open_reader(folder.file());
  EXPECT_EQ(reader->recent_calls(10)->calls.size(), 4U);
  for (const CallRow& call : batch.calls) {
    const auto found = reader->find_calls(call.id.text(), 0, 10);
    ASSERT_EQ(found->calls.size(), 1U);
    expect_same(batch, call, *found, found->calls[0]);
  }
}

TEST(SqliteLedger, DeletesTextsWhenTheirTimeIsOver) {
  const Folder folder;
  auto store = open_store(folder.file());
  LedgerRows rows(6);
  LedgerBatch batch = random_batch(rows, 3, kBegin, 1'000);
  for (std::size_t i = 0; i < 3; ++i) {
    batch.calls[i].request_text = "Kirschbaumwurzel";
    batch.calls[i].reply_text = "answer";
    batch.calls[i].text_until_unix_ms = kBegin + static_cast<std::int64_t>(i) * 1'000;
  }
  ASSERT_TRUE(store->append(batch));
  ASSERT_TRUE(store->upkeep(kBegin + 1'000));
  const auto left = open_reader(folder.file())->recent_calls(10);
  EXPECT_EQ(std::ranges::count(left->calls, "Kirschbaumwurzel", &CallRow::request_text), 1);
  ASSERT_TRUE(store->upkeep(kBegin + 2'000));
  store.reset();
  std::ifstream file(folder.file(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(bytes.find("Kirschbaumwurzel"), std::string::npos) << "deleted text must not stay in the file";
}

TEST(SqliteLedger, TwoMayMakeTheSameFileAtOnce) {
  for (int round = 0; round < 40; ++round) {
    const Folder folder;
    std::barrier both(2);
    const auto open = [&](std::uint64_t instance) {
      both.arrive_and_wait();
      auto begin = Clock::now();
      auto store = open_sqlite_ledger(folder.file(), instance);
      // The other one may stand still with its lock in hand: that was waited for, for a second.
      while (!store && Clock::now() - begin > std::chrono::milliseconds(900)) {
        begin = Clock::now();
        store = open_sqlite_ledger(folder.file(), instance);
      }
      EXPECT_TRUE(store) << (store ? "" : store.error().message);
    };
    std::thread other(open, 2);
    open(1);
    other.join();
  }
}

TEST(SqliteLedger, TwoWriteAtOnce) {
  const Folder folder;
  constexpr int kBatches = 40;
  // Who finds the other's lock held for longer than a second tries again, as the ledger's queue does.
  const auto in_the_end = [](auto act) {
    auto done = act();
    for (int tries = 0; !done && tries < 60; ++tries) done = act();
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return done;
  };
  const auto write = [&](std::uint64_t instance) {
    const auto store = *in_the_end([&] { return open_sqlite_ledger(folder.file(), instance); });
    LedgerRows rows(100 + instance);
    for (int i = 0; i < kBatches; ++i) {
      const LedgerBatch batch = random_batch(rows, 25);
      in_the_end([&] { return store->append(batch); });
    }
    EXPECT_EQ(store->calls_written(), 25U * kBatches);
    EXPECT_EQ(store->calls_of(instance)->value(), 25U * kBatches);
  };
  std::thread other(write, 2);
  write(1);
  other.join();
  const auto sums = open_reader(folder.file())->sums({kBegin, kBegin + 20 * 24 * kHour, {}, ""});
  EXPECT_EQ(sums->front().calls, 2 * 25 * kBatches);
}

}  // namespace
}  // namespace weir::store
