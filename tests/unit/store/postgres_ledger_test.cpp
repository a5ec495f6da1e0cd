#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "store/postgres_schema.hpp"
#include "unit/store/postgres_fixture.hpp"

namespace weir::store {
namespace {

using PostgresLedgerTest = PostgresFixture;

TEST_F(PostgresLedgerTest, RowsComeBackAsWritten) {
  const LedgerBatch batch = random_batch(random_, 300);
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_written(), 300U);
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  expect_holds({&batch});
  EXPECT_EQ(files_in_folder(), 0U);
}

TEST_F(PostgresLedgerTest, ABatchSentTwiceChangesNothing) {
  const LedgerBatch batch = random_batch(random_, 100);
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(batch));
  ASSERT_TRUE(ledger->append(batch));
  ASSERT_TRUE(open(2)->append(batch));
  expect_holds({&batch});
}

TEST_F(PostgresLedgerTest, ACallThatIsTwiceInABatchIsBookedOnce) {
  LedgerBatch batch = random_batch(random_, 3);
  batch.calls.push_back(batch.calls.front());
  ASSERT_TRUE(open()->append(batch));
  batch.calls.pop_back();
  expect_holds({&batch});
}

TEST_F(PostgresLedgerTest, SumsEqualBruteForce) {
  const LedgerBatch one = random_batch(random_, 400);
  const LedgerBatch two = random_batch(random_, 400);
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(one));
  ASSERT_TRUE(ledger->append(two));
  const std::vector<std::vector<Dimension>> bys{{},
                                                {Dimension::task},
                                                {Dimension::model, Dimension::provider},
                                                {Dimension::route, Dimension::key, Dimension::group},
                                                {Dimension::outcome},
                                                {Dimension::failure, Dimension::hour},
                                                {Dimension::user},
                                                {Dimension::tag, Dimension::model}};
  // Whole hours, ends within hours, all within one hour, an end in an empty hour, nothing at all.
  const std::int64_t hour = kStart / 3'600'000 * 3'600'000;
  const std::vector<std::pair<std::int64_t, std::int64_t>> ranges{{0, kStart * 2},
                                                                  {hour + 3'600'000, hour + 3 * 3'600'000},
                                                                  {kStart + 1'000'000, kStart + 12'345'678},
                                                                  {kStart + 100'000, kStart + 900'000},
                                                                  {kStart, kStart + 50 * 3'600'000 + 5}};
  for (const auto& by : bys) {
    for (const auto& [since, until] : ranges) {
      expect_sums({&one, &two}, {.since_unix_ms = since, .until_unix_ms = until, .by = by, .tag = "team"});
    }
  }
  const auto nothing = reader()->sums({.since_unix_ms = 5, .until_unix_ms = 5, .by = {}, .tag = {}});
  ASSERT_TRUE(nothing);
  ASSERT_EQ(nothing->size(), 1U) << "one row, also when there is nothing";
  EXPECT_EQ(nothing->front().calls, 0);
}

TEST_F(PostgresLedgerTest, SumsByUserAndDayEqualBruteForce) {
  constexpr std::int64_t day = 24 * 3'600'000;
  const LedgerBatch one = random_batch(random_, 500, kStart, 6 * day);
  LedgerBatch two = random_batch(random_, 300, kStart, 6 * day);
  two.calls[0].user = two.keep(std::string(9'000, 'u'));  // longer than what an index takes
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(one));
  ASSERT_TRUE(ledger->append(two));
  two.calls[0].user = two.calls[0].user.substr(0, 256);
  const std::int64_t midnight = kStart / day * day;
  for (const auto& [since, until] :
       {std::pair{std::int64_t{0}, kStart * 2}, std::pair{midnight + day, midnight + 3 * day},
        std::pair{kStart + 1'000'000, midnight + 4 * day + 12'345}, std::pair{kStart + 5, kStart + 1'000},
        std::pair{kStart, kStart + 50 * day}}) {
    for (const auto& by : std::vector<std::vector<Dimension>>{
             {Dimension::user}, {Dimension::model, Dimension::user}, {Dimension::user, Dimension::task}}) {
      expect_sums({&one, &two}, {.since_unix_ms = since, .until_unix_ms = until, .by = by, .tag = ""});
    }
  }
  EXPECT_LE(ask_number("SELECT count(*) FROM weir_user_days"), 7 * 5 * 2);
}

TEST_F(PostgresLedgerTest, NamesThatClientsInventEndInOther) {
  PostgresNames names(20);
  PostgresDocument document(names);
  LedgerBatch batch = random_batch(random_, 100);
  for (CallRow& call : batch.calls) call.task = batch.keep("invented-" + std::string(call.id.text()));
  const std::string first(document.write(batch));
  EXPECT_THAT(first, HasSubstr(R"("ta":"invented-)"));
  EXPECT_THAT(first, HasSubstr(R"("ta":"other")"));
  const std::string again(document.write(batch));
  for (const char* const label : {R"("ta":"invented-)", R"("p":"openai")"}) EXPECT_THAT(again, HasSubstr(label));

  // What one weir has booked, the others know.
  const auto ledger = open();
  PostgresConnection connection = server_.connect(url_);
  const TimePoint soon = Clock::now() + 30s;
  ASSERT_TRUE(names.has_new());
  ASSERT_TRUE(names.note(connection, soon));
  EXPECT_FALSE(names.has_new());
  EXPECT_EQ(ask_number("SELECT count(*) FROM weir_names"), 20);
  PostgresNames others(20);
  ASSERT_TRUE(others.load(connection, soon));
  EXPECT_EQ(others.booked("one more"), "other");
  EXPECT_EQ(PostgresDocument(others).write(batch), again);

  ASSERT_TRUE(ledger->append(batch));
  EXPECT_GT(ask_number("SELECT count(*) FROM weir_names"), 100) << "its own limit is far higher";
}

TEST_F(PostgresLedgerTest, DaysAndWeeksBeginAtMidnightUtcAndOnMonday) {
  const LedgerBatch batch = random_batch(random_, 5, kStart, 1000);  // a Sunday
  ASSERT_TRUE(open()->append(batch));
  const auto rows = reader()->sums({.since_unix_ms = 0,
                                    .until_unix_ms = kStart * 2,
                                    .by = {Dimension::week, Dimension::day, Dimension::hour},
                                    .tag = {}});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_THAT(rows->front().by, testing::ElementsAre("2025-06-09", "2025-06-15", "2025-06-15T15:00Z"));
}

TEST_F(PostgresLedgerTest, AttemptsOfACallThatChangedModelsAreUnderBoth) {
  LedgerBatch batch = random_batch(random_, 1);
  batch.attempts.assign(2, AttemptRow{});
  batch.attempts[0].model = "small";
  batch.attempts[0].cost = {5};
  batch.attempts[0].failure = Failure::upstream_error;
  batch.attempts[1].model = "big";
  batch.attempts[1].cost = {70};
  batch.attempts[1].price_known = batch.attempts[0].price_known = true;
  batch.calls[0].first_attempt = 0;
  batch.calls[0].attempts = 2;
  batch.calls[0].model = "big";
  ASSERT_TRUE(open()->append(batch));
  const auto rows =
      reader()->sums({.since_unix_ms = 0, .until_unix_ms = kStart * 2, .by = {Dimension::model}, .tag = {}});
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].by[0], "big");
  EXPECT_EQ((*rows)[0].calls, 1);
  EXPECT_EQ((*rows)[0].cost.value, 70);
  EXPECT_EQ((*rows)[1].by[0], "small");
  EXPECT_EQ((*rows)[1].calls, 0);
  EXPECT_EQ((*rows)[1].attempts, 1);
  EXPECT_EQ((*rows)[1].failed_attempts, 1);

  const auto uses = reader()->model_uses(0, kStart * 2);
  ASSERT_TRUE(uses);
  ASSERT_EQ(uses->size(), 2U);
  EXPECT_EQ((*uses)[0].model, "big");
  EXPECT_EQ((*uses)[0].calls, 1);
  EXPECT_EQ((*uses)[1].calls, 0);
}

TEST_F(PostgresLedgerTest, APeriodAddsUp) {
  const LedgerBatch batch = random_batch(random_, 500);
  ASSERT_TRUE(open()->append(batch));
  const std::int64_t until = kStart + 2 * 3'600'000;
  const auto period = reader()->period(kStart, until);
  ASSERT_TRUE(period) << period.error().message;
  const auto wanted =
      brute_sums({&batch}, {.since_unix_ms = kStart, .until_unix_ms = until, .by = {}, .tag = {}}).at("");
  EXPECT_EQ(period->calls, wanted.calls);
  EXPECT_EQ(period->users, 4) << "three with a name; those without are one";
  EXPECT_EQ(period->attempts, wanted.attempts);
  EXPECT_EQ(period->client_retries, wanted.client_retries);
  EXPECT_EQ(period->messages, wanted.messages);
  std::int64_t attempts = 0, cost = 0, output = 0;
  for (const ModelUse& use : period->models) {
    attempts += use.attempts;
    cost += use.cost.value;
    output += use.output;
    EXPECT_EQ(use.price_known, use.price.input.value != 0);
  }
  EXPECT_EQ(attempts, wanted.attempts);
  EXPECT_EQ(cost, wanted.cost.value);
  EXPECT_EQ(output, wanted.output);
}

TEST_F(PostgresLedgerTest, CallsAreFoundByEitherId) {
  LedgerBatch batch = random_batch(random_, 50);
  for (const std::size_t i : {3U, 7U, 9U}) batch.calls[i].request_id = "job-1";
  batch.calls[3].started_unix_ms = kStart + 1;
  batch.calls[7].started_unix_ms = kStart + 3;
  batch.calls[9].started_unix_ms = kStart - 1;
  ASSERT_TRUE(open()->append(batch));
  const auto books = reader();
  const auto own = books->find_calls(batch.calls[20].id.text(), kStart * 2, 10);
  ASSERT_TRUE(own) << own.error().message;
  ASSERT_EQ(own->calls.size(), 1U) << "own ids are found whatever the time";
  EXPECT_EQ(text_of(*own, own->calls[0]), text_of(batch, batch.calls[20]));
  const auto of_client = books->find_calls("job-1", kStart, 10);
  ASSERT_TRUE(of_client);
  ASSERT_EQ(of_client->calls.size(), 2U);
  EXPECT_EQ(of_client->calls[0].id, batch.calls[7].id) << "newest first";
  EXPECT_EQ(of_client->calls[1].id, batch.calls[3].id);
  EXPECT_EQ(books->find_calls("job-1", 0, 1)->calls.size(), 1U);
  for (const std::string_view id : {"", "nobody", "' OR 1=1 --", "00000000-0000-7000-8000-000000000000", "\xff\xfe"}) {
    const auto none = books->find_calls(id, 0, 10);
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_TRUE(none->calls.empty());
  }
  const auto recent = books->recent_calls(5);
  ASSERT_TRUE(recent);
  EXPECT_EQ(recent->calls.size(), 5U);
}

TEST_F(PostgresLedgerTest, TextsAreKeptUntilTheirTimeIsOver) {
  LedgerBatch batch = random_batch(random_, 3);
  const std::string odd("quote\" back\\slash \n\t\x01 \xc3\xa9 \xf0\x9f\x98\x80 ,\n]}");
  batch.calls[0].request_text = batch.keep(std::string(3U << 20, 'x') + odd);
  batch.calls[0].reply_text = odd;
  batch.calls[0].text_until_unix_ms = 1000;
  batch.calls[1].request_text = "short";
  batch.calls[1].text_until_unix_ms = 2000;
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(batch));
  expect_holds({&batch});
  ASSERT_TRUE(ledger->upkeep(1000));
  EXPECT_EQ(ask_number("SELECT count(*) FROM weir_texts"), 1);
  EXPECT_EQ(ask_number("SELECT until_ms FROM weir_texts"), 2000);
  EXPECT_EQ(reader()->recent_calls(10)->calls.size(), 3U) << "the calls stay";
}

TEST_F(PostgresLedgerTest, ABatchWithLongTextsIsSentInParts) {
  LedgerBatch batch = random_batch(random_, 9);
  for (CallRow& call : batch.calls) {
    call.request_text = batch.keep(std::string(4U << 20, static_cast<char>('a' + (&call - batch.calls.data()))));
    call.text_until_unix_ms = 1000;
  }
  batch.calls[5].id = CallId();
  const auto ledger = open(1, {});
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  EXPECT_EQ(ledger->calls_rejected(), 1U);
  EXPECT_EQ(ask_number("SELECT sum(length(request)) FROM weir_texts"), 8 * (4 << 20));
}

TEST_F(PostgresLedgerTest, TextThatIsNotToBeKeptIsNotWritten) {
  LedgerBatch batch = random_batch(random_, 1);
  batch.calls[0].request_text = "a secret";
  ASSERT_TRUE(open()->append(batch));
  EXPECT_EQ(ask_number("SELECT count(*) FROM weir_texts"), 0);
}

TEST_F(PostgresLedgerTest, OddNamesDoNotHarmTheBatch) {
  LedgerBatch batch = random_batch(random_, 6);
  for (CallRow& call : batch.calls) call.attempts = 1, call.first_attempt = 0;
  const std::string_view nul("a\0b", 3);
  batch.calls[0].user = nul;
  batch.calls[1].task = "\xff\xfe broken \xc3";
  batch.calls[2].tags = "'; DROP TABLE weir_calls; --";
  batch.calls[3].request_id = batch.keep(std::string(100'000, 'r'));
  batch.calls[4].model = batch.keep(std::string(10'000, 'm'));
  batch.attempts[0].reply_model = nul;
  batch.attempts[0].provider_request_id = "\\u0000";
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_rejected(), 0U);
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  const auto found = reader()->recent_calls(10);
  ASSERT_TRUE(found) << found.error().message;
  std::map<std::string, const CallRow*, std::less<>> by_id;
  for (const CallRow& call : found->calls) by_id.emplace(call.id.text(), &call);
  const auto read = [&](std::size_t i) { return *by_id.find(batch.calls[i].id.text())->second; };
  EXPECT_EQ(read(0).user,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(read(1).task, "\xEF\xBF\xBD\xEF\xBF\xBD broken \xEF\xBF\xBD");
  EXPECT_EQ(read(2).tags, batch.calls[2].tags);
  EXPECT_EQ(read(3).request_id, batch.calls[3].request_id);
  EXPECT_EQ(read(4).model, std::string(256, 'm')) << "labels are cut";
  EXPECT_EQ(found->attempts_of(read(0))[0].reply_model,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(found->attempts_of(read(0))[0].provider_request_id, "\\u0000");
}

TEST_F(PostgresLedgerTest, ACallThatTheDatabaseRefusesIsSetAsideAndTheOthersAreWritten) {
  LedgerBatch batch = random_batch(random_, 100);
  const LedgerBatch good = [&] {
    Random same(42);
    LedgerBatch copy = random_batch(same, 100);
    copy.calls.erase(copy.calls.begin() + 61);
    copy.calls.erase(copy.calls.begin() + 17);
    return copy;
  }();
  batch.calls[17].id = CallId();  // no id at all
  // A sum past 63 bits.
  const std::uint32_t at = static_cast<std::uint32_t>(batch.attempts.size());
  batch.attempts.resize(at + 2);
  batch.attempts[at].cost = batch.attempts[at + 1].cost = {std::numeric_limits<std::int64_t>::max()};
  batch.calls[61].first_attempt = at;
  batch.calls[61].attempts = 2;
  batch.calls[61].user = "a name that is nobody's business";
  const auto ledger = open();
  testing::internal::CaptureStderr();
  ASSERT_TRUE(ledger->append(batch));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("refused 2 calls (SQLSTATE 22"));
  EXPECT_THAT(said, HasSubstr("ledger.rejected"));
  EXPECT_THAT(said, Not(HasSubstr("business")));
  EXPECT_EQ(ledger->calls_rejected(), 2U);
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  EXPECT_FALSE(ledger->away());
  expect_holds({&good});
  std::ifstream rejected(folder_ + "/ledger.rejected");
  std::string line;
  int lines = 0;
  while (std::getline(rejected, line)) ++lines;
  EXPECT_EQ(lines, 2);
  EXPECT_EQ(std::filesystem::status(folder_ + "/ledger.rejected").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(PostgresLedgerTest, SeveralWeirsMayStartAndWriteAtOnce) {
  std::vector<LedgerBatch> batches;
  for (int i = 0; i < 12; ++i) batches.push_back(random_batch(random_, 50));
  // Each writes all of them, in another order: every row is in conflict with another writer.
  const auto write = [&](std::size_t from) -> std::string {
    const std::string folder = fmt::format("{}/{}", folder_, from);
    auto ledger = PostgresLedger::open(url_, folder, from);
    if (!ledger) return ledger.error().message;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const LedgerBatch& batch = batches[from % 2 == 0 ? (i + from * 3) % batches.size() : batches.size() - 1 - i];
      if (auto done = (*ledger)->append(batch); !done) return done.error().message;
    }
    const auto give_up = Clock::now() + 120s;
    while ((*ledger)->calls_spooled() > 0 && Clock::now() < give_up) static_cast<void>((*ledger)->upkeep(0));
    return (*ledger)->calls_spooled() == 0 ? "" : "still spooled";
  };
  std::vector<std::future<std::string>> writers;
  for (std::size_t i = 0; i < 4; ++i) writers.push_back(std::async(std::launch::async, write, i));
  for (auto& writer : writers) EXPECT_EQ(writer.get(), "");
  expect_holds(all_of(batches));
}

TEST_F(PostgresLedgerTest, AConnectionThatWasCutIsMadeAgainWithoutAWord) {
  const LedgerBatch one = random_batch(random_, 10);
  const LedgerBatch two = random_batch(random_, 10);
  const auto ledger = open();
  const auto books = reader();
  ASSERT_TRUE(ledger->append(one));
  ASSERT_TRUE(books->recent_calls(1));
  server_.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'weir_%'");
  std::this_thread::sleep_for(50ms);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(ledger->append(two));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  EXPECT_TRUE(books->recent_calls(1));
  expect_holds({&one, &two});
}

TEST_F(PostgresLedgerTest, WhatCannotWorkIsSaidAtTheStart) {
  const auto error_of = [&](const std::string& url) {
    const auto ledger = PostgresLedger::open(url, folder_, 1);
    const auto books = PostgresReader::open(url);
    EXPECT_FALSE(books);
    if (!books) {
      EXPECT_THAT(books.error().message, HasSubstr("stores.ledger"));
      EXPECT_THAT(books.error().message, Not(HasSubstr("hunter2")));
    }
    return ledger ? std::string("no error") : ledger.error().message;
  };
  const std::string wrong = error_of(server_.url("weir_1", "hunter2"));
  EXPECT_THAT(wrong, HasSubstr("stores.ledger: PostgreSQL at 127.0.0.1:"));
  EXPECT_THAT(wrong, HasSubstr("password authentication failed"));
  EXPECT_THAT(wrong, Not(HasSubstr("hunter2")));
  EXPECT_THAT(error_of(server_.url("no_such_base")), HasSubstr("does not exist"));
  for (const char* const url : {"postgres://weir:hunter2@[::1/weir", "hunter2", "postgres://u:hunter2@h/d?nonsense=1",
                                "postgres://u:hunter2%zz@h/d"}) {
    const std::string said = error_of(url);
    EXPECT_THAT(said, HasSubstr("not a URL")) << url;
    EXPECT_THAT(said, Not(HasSubstr("hunter2")));
  }
}

TEST_F(PostgresLedgerTest, ARoleThatMayNotMakeTablesIsToldSo) {
  server_.admin("DROP ROLE IF EXISTS guest");
  server_.admin("CREATE ROLE guest LOGIN PASSWORD 'g'");
  std::string url = url_;
  url.replace(url.find("weir:se%20cret"), std::string("weir:se%20cret").size(), "guest:g");
  const auto ledger = PostgresLedger::open(url, folder_, 1);
  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error().message, HasSubstr("permission denied for schema public"));
  server_.admin("DROP ROLE guest");
}

TEST_F(PostgresLedgerTest, ARoleWithTheGrantsOfTheDocsMayWriteAndReadAndNoMore) {
  ASSERT_TRUE(open());  // its owner makes the tables
  server_.admin("CREATE ROLE clerk LOGIN PASSWORD 'c'");
  for (const char* const grant :
       {"GRANT SELECT, INSERT ON weir_calls, weir_attempts, weir_savings TO clerk",
        "GRANT SELECT, INSERT, UPDATE ON weir_hours, weir_user_days, weir_target_hours, weir_instances TO clerk",
        "GRANT SELECT, INSERT ON weir_names TO clerk", "GRANT SELECT, INSERT, DELETE ON weir_texts TO clerk",
        "GRANT SELECT ON weir_schema TO clerk"}) {
    ask_number(grant);
  }
  const std::string owner = url_;
  url_.replace(url_.find("weir:se%20cret"), std::string("weir:se%20cret").size(), "clerk:c");
  LedgerBatch batch = random_batch(random_, 30);
  batch.calls[0].text_until_unix_ms = 5;
  batch.calls[0].request_text = "text";
  const auto ledger = open();
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_spooled(), 0U);
  expect_holds({&batch});
  ASSERT_TRUE(ledger->upkeep(10));
  EXPECT_EQ(ask_number("SELECT count(*) FROM weir_texts"), 0);
  url_ = owner;
  ask_number("DROP OWNED BY clerk");
  server_.admin("DROP ROLE clerk");
}

TEST_F(PostgresLedgerTest, AnInstanceIsKnownByTheCallsThatItMadeDurable) {
  const LedgerBatch batch = random_batch(random_, 30);
  const auto ledger = open(5);
  EXPECT_EQ(ledger->calls_of(5)->value(), 0U);
  EXPECT_EQ(*ledger->calls_of(6), std::nullopt);
  ASSERT_TRUE(ledger->append(batch));
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_of(5)->value(), 30U) << "each once";
  const auto next = open(6);
  ASSERT_TRUE(next->append(random_batch(random_, 3)));
  EXPECT_EQ(next->calls_of(5)->value(), 30U);
  EXPECT_EQ(next->calls_of(6)->value(), 3U);
  ASSERT_TRUE(next->note_lost(5, 4));
  ASSERT_TRUE(next->note_lost(5, 7)) << "said twice, counted once";
  ASSERT_TRUE(next->note_lost(77, 1)) << "one that this database has not seen";
  EXPECT_EQ(ask_number("SELECT lost FROM weir_instances WHERE id = 5"), 7);
  EXPECT_EQ(next->calls_of(5)->value(), 30U);
}

TEST_F(PostgresLedgerTest, CallsThatWereSetAsideAreNotTakenForLost) {
  LedgerBatch batch = random_batch(random_, 10);
  batch.calls[4].id = CallId();
  const auto ledger = open(5);
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_rejected(), 1U);
  EXPECT_EQ(ledger->calls_of(5)->value(), 10U);
}

TEST_F(PostgresLedgerTest, TheTablesOfTheFirstVersionAreCompleted) {
  LedgerBatch batch = random_batch(random_, 10);
  for (CallRow& call : batch.calls) call.reask = false;  // it was not known then
  ASSERT_TRUE(open()->append(batch));
  ask_number("DROP TABLE weir_instances, weir_names, weir_user_days, weir_target_hours");
  ask_number("ALTER TABLE weir_calls DROP COLUMN reask");
  ask_number("ALTER TABLE weir_schema DROP COLUMN rolled_since_ms");
  ask_number("UPDATE weir_schema SET version = 1");
  EXPECT_EQ(reader()->recent_calls(100)->calls.size(), 10U) << "a reader does not wait for it";
  EXPECT_EQ(reader()->period(0, kStart * 2)->calls, 10);
  const auto ledger = open(2);
  EXPECT_EQ(ask_number("SELECT version FROM weir_schema"), kPostgresSchemaVersion);
  EXPECT_GT(ask_number("SELECT rolled_since_ms FROM weir_schema"), unix_milliseconds());
  // What was there before has no sums by user and target: calls are read.
  const auto period = reader()->period(0, kStart * 2);
  ASSERT_TRUE(period) << period.error().message;
  EXPECT_GT(period->users, 1);
  EXPECT_FALSE(period->models.empty());
  EXPECT_GT(reader()->sums({0, kStart * 2, {Dimension::user}, ""})->size(), 1U);
  ASSERT_TRUE(ledger->append(batch));
  EXPECT_EQ(ledger->calls_of(2)->value(), 0U);
  expect_holds({&batch});
}

TEST_F(PostgresLedgerTest, ADatabaseOfALaterWeirIsLeftAlone) {
  ASSERT_TRUE(open());
  ask_number("UPDATE weir_schema SET version = 4");
  const auto ledger = PostgresLedger::open(url_, folder_, 1);
  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error().message, HasSubstr("upgrade weir"));
  const auto books = PostgresReader::open(url_);
  ASSERT_FALSE(books);
  EXPECT_THAT(books.error().message, HasSubstr("upgrade weir"));
}

TEST_F(PostgresLedgerTest, AReaderOfAnEmptyDatabaseSaysHowToFillItAndNeverWrites) {
  const auto books = PostgresReader::open(url_);
  ASSERT_FALSE(books);
  EXPECT_THAT(books.error().message, HasSubstr("`weir serve`"));
  EXPECT_EQ(ask_number("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'weir%'"), 0);
}

TEST_F(PostgresLedgerTest, AMissingLibraryIsNamedWithItsPackage) {
  const auto library = load_postgres_library("libpq-that-is-not-there.so.5");
  ASSERT_FALSE(library);
  EXPECT_THAT(library.error().message, HasSubstr("stores.ledger"));
  EXPECT_THAT(library.error().message, HasSubstr("libpq5"));
  const auto other = load_postgres_library("libc.so.6");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("no function"));
}

}  // namespace
}  // namespace weir::store
