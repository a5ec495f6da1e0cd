#include "accounting/report_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/accounting/fake_ledger.hpp"

namespace weir::accounting {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kNow = 1'795'644'929'781;  // 2026-11-25T22:15:29.781Z

class ReportBodyTest : public testing::Test {
 protected:
  ReportBodyTest() {
    auto& booked = ledger.book(call_of(kNow, "support", "mini"), {attempt_of("mini", kMini, tokens_of(1'000, 0, 100))});
    booked.call.tags = "team=a b";
  }
  ReportBody ask(std::string_view query) { return report_body(query, ledger, kNow); }

  FakeLedger ledger;
};

TEST_F(ReportBodyTest, IsTheSameJsonAsTheCommands) {
  const ReportBody body = ask("kind=costs&since=7d&by=task%2Cmodel");
  EXPECT_EQ(body.status, 200U);
  EXPECT_EQ(body.content_type, "application/json");
  EXPECT_THAT(body.body,
              StartsWith(R"({"since":"2026-11-18T22:15:29Z","until":"2026-11-25T22:15:30Z","by":["task","model"],)"
                         R"("rows":[{"task":"support","model":"mini","calls":1,"attempts":1,)"));
}

TEST_F(ReportBodyTest, WithoutAQueryTasksOfAWeek) {
  EXPECT_THAT(ask("").body, HasSubstr(R"("by":["task"])"));
  EXPECT_THAT(ask("by=tag:team").body, HasSubstr(R"("rows":[{"tag:team":"a b",)"));
}

TEST_F(ReportBodyTest, OtherFormatsHaveTheirType) {
  EXPECT_THAT(ask("kind=tasks&format=csv").content_type, StartsWith("text/csv"));
  EXPECT_THAT(ask("kind=tasks&format=csv").body, StartsWith("task,calls,"));
  EXPECT_THAT(ask("format=table").content_type, StartsWith("text/plain"));
}

TEST_F(ReportBodyTest, DriftToo) {
  const ReportBody body = ask("kind=drift&from=2026-11-24&to=2026-11-25");
  EXPECT_EQ(body.status, 200U);
  EXPECT_THAT(body.body, HasSubstr(R"("largest":"users")"));
}

TEST_F(ReportBodyTest, BadQueriesAre400AndSayWhatThereIs) {
  for (const char* query : {"knd=costs", "kind=cost", "since=x", "by=modle", "format=xml", "reprice=1", "reprice",
                            "kind=drift", "%zz=1", "from=2026-11-01"}) {
    const ReportBody body = ask(query);
    EXPECT_EQ(body.status, 400U) << query;
    EXPECT_THAT(body.body, StartsWith(R"({"error":{"message":")")) << query;
  }
  EXPECT_THAT(ask("knd=costs").body, HasSubstr(R"(Did you mean \"kind\"?)"));
  EXPECT_EQ(ask(std::string(3'000, '&')).status, 400U);
}

TEST_F(ReportBodyTest, ALedgerThatCannotBeReadIs500) {
  ledger.broken = "weir.db: disk I/O error";
  EXPECT_EQ(ask("kind=costs").status, 500U);
  EXPECT_THAT(ask("kind=costs").body, HasSubstr("disk I/O error"));
}

TEST_F(ReportBodyTest, RepriceWorksWherePricesAreGiven) {
  const auto priced = report_body("reprice=true", ledger, kNow, [](auto, auto, auto) { return &kLarge; });
  EXPECT_EQ(priced.status, 200U);
  EXPECT_THAT(priced.body, HasSubstr(R"("repriced_usd":0.003500000)"));
}

}  // namespace
}  // namespace weir::accounting
