#include "accounting/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/accounting/fake_ledger.hpp"

namespace weir::accounting {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'795'644'929'781;  // 2026-11-25T22:15:29.781Z

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    ledger.book(call_of(kNow - day_ms, "support", "mini"), {attempt_of("mini", kMini, tokens_of(1'000, 200, 100, 40))});
    // From the large model to the small one: one call of the small, an attempt under each.
    auto failed = attempt_of("large", kLarge, tokens_of(900, 0, 10));
    failed.failure = Failure::upstream_timeout_between_bytes;
    failed.wasted = true;
    auto& second =
        ledger.book(call_of(kNow - 1'000, "=1+2", "mini"), {failed, attempt_of("mini", kMini, tokens_of(900, 0, 50))});
    second.call.client_retry = 1;
    auto unknown = attempt_of("own", {}, tokens_of(10, 0, 1));
    unknown.price_known = false;
    ledger.book(call_of(kNow, "support", "own"), {unknown}).call.user = "a\"b,\nc";
  }
  Report read(std::string kind, std::string by = "", bool reprice = false) {
    ReportArguments arguments;
    arguments.kind = std::move(kind);
    arguments.by = std::move(by);
    arguments.reprice = reprice;
    const auto options = parse_report(arguments, kNow);
    EXPECT_TRUE(options) << options.error().message;
    auto report = read_report(ledger, *options, [this](std::string_view model, std::string_view, std::string_view) {
      return model == "own" ? nullptr : model == "mini" ? &kMini : &halved;
    });
    EXPECT_TRUE(report);
    return *report;
  }

  FakeLedger ledger;
  Price halved = price_of_thousandths(1'250, 5'000);
};

TEST_F(ReportTest, JsonHasTheShapeOfRuling19) {
  EXPECT_EQ(
      report_json(read("tasks")),
      R"({"since":"2026-11-18T22:15:29Z","until":"2026-11-25T22:15:30Z","by":["task"],"rows":[)"
      R"({"task":"=1+2","calls":1,"attempts":2,"tokens":{"uncached":1800,"cache_read":0,"cache_write":0,"output":60,)"
      R"("reasoning":0},"cost_usd":0.002515000,"wasted_usd":0.002350000,"saved_usd":0.000000000,"price_unknown_calls":0},)"
      R"({"task":"support","calls":2,"attempts":2,"tokens":{"uncached":1010,"cache_read":200,"cache_write":0,"output":61,)"
      R"("reasoning":40},"cost_usd":0.000213000,"wasted_usd":0.000000000,"saved_usd":0.000000000,)"
      R"("price_unknown_calls":1}],"total":{"calls":3,"attempts":4,"tokens":{"uncached":2810,"cache_read":200,)"
      R"("cache_write":0,"output":121,"reasoning":40},"cost_usd":0.002728000,"wasted_usd":0.002350000,)"
      R"("saved_usd":0.000000000,"price_unknown_calls":1}})");
}

TEST_F(ReportTest, DollarsAreWrittenFromIntegers) {
  ledger.calls.clear();
  auto attempt = attempt_of("large", kLarge, tokens_of(0, 0, 0));
  attempt.cost = {9'007'199'254'740'993};  // 2^53 + 1: no double holds it
  ledger.book(call_of(kNow, "t", "large"), {attempt}).call.saved[SavingCause::routing] = {-1};
  EXPECT_THAT(report_json(read("tasks")),
              HasSubstr(R"("cost_usd":9007199.254740993,"wasted_usd":0.000000000,"saved_usd":-0.000000001)"));
}

TEST_F(ReportTest, AnEmptyLedgerHasATotalOfZeroInEveryFormat) {
  ledger.calls.clear();
  EXPECT_THAT(report_json(read("costs")), HasSubstr(R"("by":["day"],"rows":[],"total":{"calls":0,)"));
  EXPECT_THAT(report_csv(read("costs")), testing::StartsWith("day,calls,"));
  EXPECT_THAT(report_table(read("costs")), HasSubstr("no calls in that time"));
}

TEST_F(ReportTest, DaysStandInTheOrderOfTimeOthersDearestFirst) {
  const Report days = read("costs");
  ASSERT_EQ(days.rows.size(), 2U);
  EXPECT_EQ(days.rows[0].sums.by[0], "2026-11-24");
  EXPECT_EQ(days.rows[1].sums.by[0], "2026-11-25");
  EXPECT_EQ(read("models").rows[0].sums.by[0], "large");
}

TEST_F(ReportTest, ACallCountsWhereItEndedItsTokensWhereTheyWereUsed) {
  const Report models = read("models");
  EXPECT_EQ(models.rows[0].sums.calls, 0);
  EXPECT_EQ(models.rows[0].sums.attempts, 1);
  EXPECT_EQ(models.total.sums.calls, 3);
  EXPECT_EQ(models.total.sums.attempts, 4);
}

TEST_F(ReportTest, CsvFollowsRfc4180AndRunsNothing) {
  const std::string csv = report_csv(read("costs", "task,user"));
  EXPECT_THAT(csv,
              testing::StartsWith("task,user,calls,failed_calls,client_retries,attempts,failed_attempts,uncached,"));
  EXPECT_THAT(csv, HasSubstr("\r\n'=1+2,,1,0,1,2,1,1800,0,0,60,0,0.002515000,0.002350000,0.000000000,0\r\n"));
  EXPECT_THAT(csv, HasSubstr("\r\nsupport,\"a\"\"b,\nc\",1,"));
  EXPECT_THAT(csv, Not(HasSubstr("\n=")));
}

TEST_F(ReportTest, TheTableNamesUnknownPrices) {
  const std::string table = report_table(read("models"));
  EXPECT_THAT(table, HasSubstr("price unknown"));
  EXPECT_THAT(table, testing::StartsWith("models, 2026-11-18T22:15:29Z to 2026-11-25T22:15:30Z\n"));
  ledger.calls.pop_back();
  EXPECT_THAT(report_table(read("models")), Not(HasSubstr("price unknown")));
}

TEST_F(ReportTest, RetriesShowAmplificationAndWaste) {
  const std::string table = report_table(read("retries", "task"));
  EXPECT_THAT(table, HasSubstr("client retries"));
  EXPECT_THAT(table, HasSubstr("2.00"));
  EXPECT_THAT(report_json(read("retries")),
              HasSubstr(R"("price_unknown_calls":1,"failed_calls":0,"failed_attempts":1,"client_retries":1}})"));
}

TEST_F(ReportTest, RepriceStandsBesideWhatWasBooked) {
  const Report report = read("models", "", true);
  ASSERT_EQ(report.rows[0].sums.by[0], "large");
  EXPECT_EQ(report.rows[0].sums.cost, NanoDollars{2'350'000});
  EXPECT_EQ(report.rows[0].repriced.cost, NanoDollars{1'175'000});
  EXPECT_EQ(report.total.repriced.unknown_attempts, 1);
  EXPECT_EQ(report.total.repriced.cost, NanoDollars{2'728'000 - 1'175'000});
  EXPECT_THAT(report_json(report), HasSubstr(R"("repriced_usd":0.001175000,"repriced_unknown_attempts":0})"));
  const std::string table = report_table(report);
  EXPECT_THAT(table, HasSubstr("at today's prices"));
  EXPECT_THAT(table, HasSubstr("no price today"));
  // In total: one line.
  EXPECT_EQ(read("costs", "", true).total.repriced.cost, report.total.repriced.cost);
}

TEST_F(ReportTest, WithoutPricesRepriceIsRefused) {
  ReportArguments arguments;
  arguments.reprice = true;
  const auto report = read_report(ledger, *parse_report(arguments, kNow), {});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("not supported"));
}

}  // namespace
}  // namespace weir::accounting
