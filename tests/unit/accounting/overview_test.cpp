#include "accounting/overview.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "accounting/text_table.hpp"
#include "unit/accounting/fake_ledger.hpp"

namespace weir::accounting {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'795'644'929'781;  // Wednesday, 2026-11-25T22:15:29.781Z

class OverviewTest : public testing::Test {
 protected:
  std::string text(const std::string& since = "") {
    ReportArguments arguments;
    arguments.since = since;
    const auto overview = read_overview(ledger, *parse_report(arguments, kNow));
    EXPECT_TRUE(overview);
    return overview_text(*overview);
  }
  /// `count` calls of a task at a model, `days` ago.
  void calls(int count, std::string_view task, std::string_view model, std::string_view group, int days,
             std::int64_t prompt = 2'000) {
    for (int i = 0; i < count; ++i) {
      const Price& price = model == "gpt-4o" ? kLarge : kMini;
      auto& booked = ledger.book(call_of(kNow - days * day_ms, task, model),
                                 {attempt_of(model, price, tokens_of(prompt, prompt / 4, 300))});
      booked.call.group = group;
    }
  }
  void a_busy_month() {
    for (const int days : {1, 2, 3, 9, 10, 16, 23}) {
      calls(40, "support", "gpt-4o-mini", "shop", days, 2'000'000 / (days + 1));
      calls(12, "extract", "gpt-4o", "shop", days);
      calls(6, "summarise", "gpt-4o", "backoffice", days, 500'000 / (days + 1));
      calls(3, "translate", "gpt-4o-mini", "none", days);
      calls(1, "a.task:with-a-name-of-sixty-four-bytes-as-long-as-they-may-be-0123", "gpt-4o-mini", "lab", days);
    }
    auto failed = attempt_of("gpt-4o", kLarge, tokens_of(400'000, 0, 0));
    failed.failure = Failure::upstream_timeout_first_byte;
    failed.wasted = true;
    auto& retried = ledger.book(call_of(kNow - day_ms, "support", "gpt-4o-mini"),
                                {failed, attempt_of("gpt-4o-mini", kMini, tokens_of(2'000, 0, 300))});
    retried.call.client_retry = 1;
    auto& lost = ledger.book(call_of(kNow - day_ms, "support", "gpt-4o"), {failed});
    lost.call.outcome = Outcome::upstream_error;
    auto unknown = attempt_of("llama", {}, tokens_of(10, 0, 10));
    unknown.price_known = false;
    ledger.book(call_of(kNow - day_ms, "support", "llama"), {unknown});
  }

  FakeLedger ledger;
};

TEST_F(OverviewTest, IsOneScreen) {
  a_busy_month();
  for (const char* since : {"", "30d", "1d"}) {
    const std::string screen = text(since);
    if (std::getenv("WEIR_SHOW") != nullptr) std::cout << screen << "\n";
    EXPECT_LE(std::ranges::count(screen, '\n'), 24) << screen;
    std::string_view rest = screen;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      EXPECT_LE(width_of(line), 80U) << line;
      rest.remove_prefix(line.size() + 1);
    }
  }
}

TEST_F(OverviewTest, NamesWhatMatters) {
  a_busy_month();
  const std::string screen = text();
  EXPECT_THAT(screen, testing::StartsWith("2026-11-18T22:15:29Z to 2026-11-25T22:15:30Z\n189 calls, 1 failed, $"));
  EXPECT_THAT(screen, HasSubstr("no price    1 of 189 calls (0.5 %): their price is not known and adds $0.00"));
  EXPECT_THAT(screen, HasSubstr("by task     support"));
  EXPECT_THAT(screen, HasSubstr("3 others"));
  EXPECT_THAT(screen, HasSubstr("dearest     44 % of it at gpt-4o: $"));
  EXPECT_THAT(screen, HasSubstr("by group    shop"));
  EXPECT_THAT(screen, HasSubstr("failed calls $1.00, retried or hedged $1.00"));
  EXPECT_THAT(screen, HasSubstr("1.01 attempts a call, 1 client retry"));
  EXPECT_THAT(screen, HasSubstr("20 % read from the providers' caches"));
  EXPECT_THAT(screen, HasSubstr("weeks       from 2026-11-02"));
  EXPECT_THAT(screen, HasSubstr("from 2026-11-23"));
  EXPECT_THAT(screen, HasSubstr("so far"));
  EXPECT_THAT(screen, HasSubstr("next: weir report models: give those without a price one"));
}

TEST_F(OverviewTest, PointsAtWasteThenAtGrowthThenAtTheDearestModel) {
  calls(10, "support", "gpt-4o", "shop", 1);
  calls(1, "support", "gpt-4o-mini", "shop", 1);
  EXPECT_THAT(text(), HasSubstr("next: weir report costs --by task,model: what needs the dearest model?"));
  calls(1, "support", "gpt-4o", "shop", 16);
  calls(4, "support", "gpt-4o", "shop", 9);
  EXPECT_THAT(text(), HasSubstr("next: weir report drift --from 2026-11-09..2026-11-15 --to 2026-11-16..2026-11-22"));
  ledger.calls[0].attempts[0].wasted = true;
  ledger.calls[1].attempts[0].wasted = true;
  EXPECT_THAT(text(), HasSubstr("next: weir report retries --by failure,model"));
}

TEST_F(OverviewTest, AnEmptyLedgerSaysWhatToDo) {
  EXPECT_THAT(text(), HasSubstr("The ledger holds no call yet. Point an SDK's base_url at weir"));
  calls(1, "support", "gpt-4o", "shop", 20);
  EXPECT_THAT(text(), HasSubstr("No calls in that time. Look further back: weir report --since 30d"));
}

TEST_F(OverviewTest, ALedgerThatCannotBeReadIsAnError) {
  ledger.broken = "weir.db: database disk image is malformed";
  const auto overview = read_overview(ledger, *parse_report({}, kNow));
  ASSERT_FALSE(overview);
  EXPECT_EQ(overview.error().message, ledger.broken);
}

}  // namespace
}  // namespace weir::accounting
