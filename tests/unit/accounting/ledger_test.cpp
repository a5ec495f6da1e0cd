#include "accounting/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <weir/base/guarded.hpp>
#include <weir/base/random.hpp>
#include "fakes/ledger_rows.hpp"

namespace weir::accounting {
namespace {

using namespace std::chrono_literals;
using fakes::Folder;

constexpr std::int64_t kBegin = 1'763'701'200'000;

/// Keeps what it is given; fails, or takes its time, when it is told to.
class FakeStore final : public store::LedgerStore {
 public:
  struct Seen {
    store::LedgerBatch rows;
    std::set<std::string> ids;
    std::map<std::uint64_t, std::uint64_t> lost;
    int tries = 0;
  };
  struct Shared {
    Guarded<Seen> seen;
    std::atomic<bool> fails{false};
    std::atomic<bool> hangs{false};
  };
  explicit FakeStore(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<void> append(const store::LedgerBatch& batch) override {
    while (shared_->hangs) std::this_thread::sleep_for(1ms);
    return shared_->seen.with([&](Seen& seen) -> Result<void> {
      ++seen.tries;
      if (shared_->fails) return failure("stores.ledger: told to fail");
      append_rows(seen.rows, batch);
      for (const store::CallRow& call : batch.calls) seen.ids.emplace(call.id.text());
      written_ += batch.calls.size();
      return {};
    });
  }
  Result<void> upkeep(std::int64_t) override { return {}; }
  std::uint64_t calls_written() const override { return written_; }
  Result<void> note_lost(std::uint64_t instance, std::uint64_t calls) override {
    shared_->seen.with([&](Seen& seen) { seen.lost[instance] = calls; });
    return {};
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::uint64_t written_ = 0;
};

void make_call(Exchange& exchange, Random& random) {
  exchange.started_unix_ms = kBegin + static_cast<std::int64_t>(random.next() % 1'000);
  exchange.id = CallId::make(exchange.started_unix_ms, random);
  exchange.request_id = exchange.id.text();
}

bool wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 30'000 && !condition(); ++i) std::this_thread::sleep_for(2ms);
  return condition();
}

class LedgerOverFake : public testing::Test {
 protected:
  void open(std::size_t workers = 2, std::size_t waiting_bytes_max = 1U << 20) {
    auto opened = Ledger::over(std::make_unique<FakeStore>(shared_), 77, folder_.file(), workers, waiting_bytes_max);
    ASSERT_TRUE(opened) << opened.error().message;
    ledger_ = std::move(*opened);
  }
  void end_calls(std::size_t worker, int calls) {
    Exchange exchange;
    for (int i = 0; i < calls; ++i) {
      make_call(exchange, random_);
      ledger_->worker(worker).call_ended(exchange);
    }
  }
  std::size_t rows() {
    return shared_->seen.with([](auto& seen) { return seen.rows.calls.size(); });
  }
  std::size_t files() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) ++count;
    return count;
  }

  Folder folder_;
  Random random_{9};
  std::shared_ptr<FakeStore::Shared> shared_ = std::make_shared<FakeStore::Shared>();
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerOverFake, WritesDownEveryFieldOfACall) {
  open();
  const Caller caller{"shop", "retail", {}};
  const Price price{{1}, {2}, {3}, {4}};
  Exchange exchange;
  make_call(exchange, random_);
  exchange.request_id = "the-clients-own";
  exchange.started = TimePoint{} + 10s;
  exchange.first_byte_sent = exchange.started + 250ms;
  exchange.took = 900ms;
  exchange.plan.route = "support";
  exchange.task = "answer";
  exchange.caller = &caller;
  exchange.user = "u1";
  exchange.tags = "team=a";
  exchange.outcome = Outcome::cut;
  exchange.failure = Failure::upstream_error;
  exchange.failure_phase = Phase::body;
  exchange.status = 200;
  exchange.request.stream = true;
  exchange.raw = true;
  exchange.request.client_retry = 2;
  exchange.request.messages = 5;
  exchange.request.prompt_bytes = 1'234;
  exchange.request.system_hash = 11;
  exchange.request.prompt_hash = 12;
  exchange.request.body = "the question";
  exchange.kept_reply = "the answer";
  exchange.plan.keep_text = 60s;
  exchange.saved[SavingCause::provider_cache] = {99};
  exchange.attempts.resize(2);
  exchange.attempts[0].provider = "first";
  exchange.attempts[0].model = "m1";
  exchange.attempts[0].failure = Failure::upstream_overloaded;
  exchange.attempts[0].phase = Phase::await_headers;
  exchange.attempts[0].provider_status = 529;
  exchange.attempts[0].wasted = true;
  Attempt& last = exchange.attempts[1];
  last.provider = "second";
  last.model = "m2";
  last.reply_model = "m2-2026";
  last.provider_request_id = "req_1";
  last.key_index = 1;
  last.duration_of(Phase::body) = 3ms;
  last.usage = {1, 2, 3, 9, 4, true, false};
  last.cost = {55};
  last.price = &price;
  last.may_have_been_billed = last.reused_connection = true;
  ledger_->worker(0).call_ended(exchange);
  ledger_->stop(60s);

  shared_->seen.with([&](auto& seen) {
    ASSERT_EQ(seen.rows.calls.size(), 1U);
    const store::CallRow& row = seen.rows.calls[0];
    EXPECT_EQ(row.id, exchange.id);
    EXPECT_EQ(row.request_id, "the-clients-own");
    EXPECT_EQ(row.started_unix_ms, exchange.started_unix_ms);
    EXPECT_EQ(row.took_us, 900'000);
    EXPECT_EQ(row.first_byte_us, 250'000);
    EXPECT_EQ(row.route, "support");
    EXPECT_EQ(row.task, "answer");
    EXPECT_EQ(row.model, "m2");
    EXPECT_EQ(row.provider, "second");
    EXPECT_EQ(row.key, "shop");
    EXPECT_EQ(row.group, "retail");
    EXPECT_EQ(row.user, "u1");
    EXPECT_EQ(row.tags, "team=a");
    EXPECT_EQ(std::tie(row.outcome, row.failure, row.phase),
              std::tuple(Outcome::cut, Failure::upstream_error, Phase::body));
    EXPECT_EQ(row.status, 200);
    EXPECT_TRUE(row.stream && row.raw);
    EXPECT_EQ(std::tie(row.client_retry, row.messages, row.prompt_bytes, row.system_hash, row.prompt_hash),
              std::tuple(2U, 5U, 1'234U, 11U, 12U));
    EXPECT_EQ(row.saved, exchange.saved);
    EXPECT_EQ(row.request_text, "the question");
    EXPECT_EQ(row.reply_text, "the answer");
    EXPECT_EQ(row.text_until_unix_ms, exchange.started_unix_ms + 60'000);
    ASSERT_EQ(row.attempts, 2U);
    const store::AttemptRow& failed = seen.rows.attempts_of(row)[0];
    EXPECT_EQ(failed.provider, "first");
    EXPECT_EQ(std::tie(failed.failure, failed.phase, failed.status),
              std::tuple(Failure::upstream_overloaded, Phase::await_headers, 529));
    EXPECT_TRUE(failed.wasted);
    const store::AttemptRow& served = seen.rows.attempts_of(row)[1];
    EXPECT_EQ(served.model, "m2");
    EXPECT_EQ(served.reply_model, "m2-2026");
    EXPECT_EQ(served.provider_request_id, "req_1");
    EXPECT_EQ(served.key_index, 1U);
    EXPECT_EQ(served.phases_us[static_cast<std::size_t>(Phase::body)], 3'000);
    EXPECT_EQ(served.usage, last.usage);
    EXPECT_EQ(served.cost.value, 55);
    EXPECT_EQ(served.price, price);
    EXPECT_TRUE(served.price_known && served.may_have_been_billed && served.reused_connection && !served.wasted);
  });
}

TEST_F(LedgerOverFake, SaysNoneWhereThereIsNothingAndKeepsNoTextUnasked) {
  open();
  Exchange exchange;
  make_call(exchange, random_);
  exchange.request.body = "a secret";
  exchange.kept_reply = "another";
  ledger_->worker(0).call_ended(exchange);
  ledger_->stop(60s);
  shared_->seen.with([&](auto& seen) {
    const store::CallRow& row = seen.rows.calls.at(0);
    for (const std::string_view label : {row.route, row.task, row.model, row.provider, row.key, row.group}) {
      EXPECT_EQ(label, "none");
    }
    EXPECT_EQ(row.request_id, "");  // weir's own id is there already
    EXPECT_EQ(row.first_byte_us, -1);
    EXPECT_EQ(row.attempts, 0U);
    EXPECT_EQ(row.request_text, "");
    EXPECT_EQ(row.reply_text, "");
    EXPECT_EQ(row.text_until_unix_ms, 0);
  });
}

TEST_F(LedgerOverFake, WritesTheCallsOfAllWorkersOnceAndLeavesNothingBehind) {
  open(3);
  for (int i = 0; i < 50; ++i) {
    for (std::size_t worker = 0; worker < 3; ++worker) {
      end_calls(worker, 7);
      ledger_->worker(worker).tick();
    }
  }
  end_calls(1, 4);  // not handed over yet: stop() does it
  ledger_->stop(60s);
  EXPECT_EQ(rows(), 50U * 3 * 7 + 4);
  shared_->seen.with([](auto& seen) { EXPECT_EQ(seen.ids.size(), seen.rows.calls.size()); });
  EXPECT_EQ(ledger_->counters().written, rows());
  EXPECT_EQ(ledger_->counters().waiting, 0U);
  EXPECT_EQ(ledger_->counters().dropped, 0U);
  EXPECT_EQ(files(), 0U);
}

TEST_F(LedgerOverFake, KeepsCallsWhileTheStoreFailsAndWritesThemAfterwards) {
  open();
  shared_->fails = true;
  end_calls(0, 10);
  ledger_->worker(0).tick();
  ASSERT_TRUE(wait_for([&] { return ledger_->counters().write_errors >= 2; }));
  end_calls(1, 5);
  ledger_->worker(1).tick();
  EXPECT_EQ(ledger_->counters().waiting, 15U);
  shared_->fails = false;
  ASSERT_TRUE(wait_for([&] { return ledger_->counters().written == 15; }));
  EXPECT_TRUE(wait_for([&] { return ledger_->counters().waiting == 0; }));
  EXPECT_EQ(ledger_->counters().dropped, 0U);
  ledger_->stop(60s);
  EXPECT_EQ(files(), 0U);
}

TEST_F(LedgerOverFake, DropsAndCountsWhatIsTooMuchAndNotesItAsLost) {
  open(1, 21 * sizeof(store::CallRow));
  shared_->fails = true;
  for (int i = 0; i < 10; ++i) {
    end_calls(0, 5);
    ledger_->worker(0).tick();  // never waits
  }
  EXPECT_EQ(ledger_->counters().waiting + ledger_->counters().dropped, 50U);
  EXPECT_EQ(ledger_->counters().waiting, 20U);
  shared_->fails = false;
  ASSERT_TRUE(wait_for([&] { return ledger_->counters().written == 20; }));
  end_calls(0, 5);
  ledger_->stop(60s);
  EXPECT_EQ(rows(), 25U);
  EXPECT_EQ(ledger_->counters().dropped, 30U);
  shared_->seen.with([](auto& seen) { EXPECT_EQ(seen.lost[77], 30U); });
  EXPECT_EQ(files(), 0U);
}

TEST_F(LedgerOverFake, CountsTheBytesThatWaitOnceAlsoWhenBatchesAreJoined) {
  open(1, 100U << 10);
  for (int round = 0; round < 3; ++round) {
    shared_->fails = true;
    for (int i = 0; i < 20; ++i) {
      end_calls(0, 3);
      ledger_->worker(0).tick();
    }
    EXPECT_EQ(ledger_->counters().dropped, 0U) << "all of it has room, in each round";
    shared_->fails = false;
    ASSERT_TRUE(wait_for([&] { return ledger_->counters().waiting == 0; }));
  }
  EXPECT_EQ(ledger_->counters().dropped, 0U);
  EXPECT_EQ(rows(), 180U);
}

TEST_F(LedgerOverFake, StopGivesUpOnAStoreThatFailsForEver) {
  open();
  shared_->fails = true;
  end_calls(0, 10);
  ledger_->stop(200ms);
  EXPECT_EQ(rows(), 0U);
  // Where its thread stood still meanwhile it was left behind, and ends a moment later.
  EXPECT_TRUE(wait_for([&] { return shared_->seen.with([](auto& seen) { return seen.lost[77] == 10; }); }));
  shared_->seen.with([](auto& seen) { EXPECT_GE(seen.tries, 1); });
}

TEST_F(LedgerOverFake, StopLeavesAStoreThatHangsBehindWithTheCountOfItsCalls) {
  open();
  shared_->hangs = true;
  end_calls(0, 10);
  ledger_->stop(50ms);
  ledger_.reset();
  EXPECT_EQ(files(), 1U);
  shared_->hangs = false;
  EXPECT_TRUE(wait_for([&] { return rows() == 10; }));  // its own thread still ends well
}

TEST(Ledger, ThatIsOffRecordsNothing) {
  auto ledger = Ledger::open({"off", ""}, 2);
  ASSERT_TRUE(ledger);
  EXPECT_FALSE((*ledger)->on());
  Exchange exchange;
  (*ledger)->worker(1).call_ended(exchange);
  (*ledger)->worker(1).tick();
  (*ledger)->stop(1s);
  EXPECT_EQ((*ledger)->counters().written, 0U);
}

TEST(Ledger, RefusesAPlaceThatIsNone) {
  const auto refused = Ledger::open({"/proc/nowhere/ledger.db", ""}, 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("stores.ledger"));
}

TEST(Ledger, OfAKilledProcessTellsExactlyWhatIsMissing) {
  auto* const ended = static_cast<std::atomic<std::uint64_t>*>(
      ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const Folder folder;
  Random dice{3};
  std::uint64_t kept_before = 0;
  bool some_lost = false;
  for (int round = 0; round < 8; ++round) {
    *ended = 0;
    const pid_t child = ::fork();
    if (child == 0) {
      auto ledger = Ledger::open({folder.file(), ""}, 2);
      Random random{static_cast<std::uint64_t>(round) + 50};
      Exchange exchange;
      for (std::uint64_t i = 0; ledger; ++i) {
        make_call(exchange, random);
        (*ledger)->worker(i % 2).call_ended(exchange);
        *ended = i + 1;
        if (i % 97 == 0) (*ledger)->worker(i % 2).tick();
        if (i % 20 == 0) ::usleep(1'000);
      }
      ::_exit(1);
    }
    ASSERT_TRUE(wait_for([&] { return ended->load() > 0; })) << "the child ends no calls";
    ::usleep(static_cast<useconds_t>(60'000 + dice.next() % 60'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    auto ledger = Ledger::open({folder.file(), ""}, 1);
    ASSERT_TRUE(ledger) << ledger.error().message;
    const std::uint64_t lost = (*ledger)->counters().lost_at_last_start;
    (*ledger)->stop(1s);
    auto reader = store::open_sqlite_reader(folder.file());
    const auto sums = (*reader)->sums({0, kBegin * 2, {}, ""});
    const std::uint64_t kept = static_cast<std::uint64_t>(sums->front().calls) - kept_before;
    kept_before += kept;
    // Killed between the call and our own note of it: one more.
    EXPECT_THAT(kept + lost, testing::AnyOf(ended->load(), ended->load() + 1));
    some_lost |= lost > 0;
  }
  EXPECT_TRUE(some_lost) << "kills came when nothing was under way: the test proves nothing";
  ::munmap(ended, sizeof(*ended));
}

TEST(Ledger, OfAProcessThatLivesIsNotTakenForADeadOne) {
  const Folder folder;
  auto old_one = Ledger::open({folder.file(), ""}, 1);
  Random random{5};
  Exchange exchange;
  make_call(exchange, random);
  (*old_one)->worker(0).call_ended(exchange);
  auto new_one = Ledger::open({folder.file(), ""}, 1);  // as in a hot restart
  ASSERT_TRUE(new_one);
  EXPECT_EQ((*new_one)->counters().lost_at_last_start, 0U);
  make_call(exchange, random);
  (*new_one)->worker(0).call_ended(exchange);
  (*old_one)->stop(60s);
  (*new_one)->stop(60s);
  EXPECT_EQ((*store::open_sqlite_reader(folder.file()))->recent_calls(10)->calls.size(), 2U);
  auto third = Ledger::open({folder.file(), ""}, 1);
  EXPECT_EQ((*third)->counters().lost_at_last_start, 0U);
}

}  // namespace
}  // namespace weir::accounting
