#include "accounting/calls_json.hpp"

#include <gtest/gtest.h>

#include "unit/accounting/fake_ledger.hpp"

namespace weir::accounting {
namespace {

constexpr std::int64_t kNow = 1'795'644'929'000;  // 2026-11-25T22:15:29Z

TEST(CallsJson, HasTheShapeOfRuling20) {
  FakeLedger ledger;
  auto attempt = attempt_of("gpt-4o-mini", kMini, tokens_of(1'000, 200, 100, 30));
  attempt.key_index = 1;
  attempt.provider_request_id = "req_\"8";
  attempt.phases_us[static_cast<std::size_t>(Phase::await_headers)] = 780'012;
  ledger.book(call_of(kNow, "support", "gpt-4o-mini"), {attempt}).call.request_id = "order-17";
  const auto found = ledger.find_calls("order-17", 0, 10);
  ASSERT_TRUE(found);
  const std::string id(36, '\0');
  std::string json = calls_json(*found);
  for (std::size_t at; (at = json.find(id)) != std::string::npos;) json.replace(at, id.size(), "ID");
  EXPECT_EQ(
      json,
      R"({"calls":[{"id":"ID","request_id":"order-17","started":"2026-11-25T22:15:29.000Z","task":"support",)"
      R"("route":"none","model":"gpt-4o-mini","provider":"openai","outcome":"ok","failure":"none","phase":"none",)"
      R"("tokens":{"uncached":1000,"cache_read":200,"cache_write":0,"output":70,"reasoning":30,"estimated":false},)"
      R"("cost_usd":0.000213000,"attempts":[{"id":"ID/1","provider":"openai","model":"gpt-4o-mini","key_index":1,)"
      R"("phases_ms":{"await_headers":780.012},"failure":"none","phase":"none","status":200,)"
      R"("provider_request_id":"req_\"8","may_have_been_billed":true,"tokens":{"uncached":1000,"cache_read":200,)"
      R"("cache_write":0,"output":70,"reasoning":30,"estimated":false},"cost_usd":0.000213000,)"
      R"("booked":"served"}]}]})");
}

TEST(CallsJson, SumsAttemptsAndFillsInNames) {
  FakeLedger ledger;
  auto failed = attempt_of("", kMini, tokens_of(10, 0, 5));
  failed.wasted = true;
  failed.failure = Failure::upstream_error;
  ledger.book(call_of(kNow, "", "m"), {failed, attempt_of("m", kMini, tokens_of(10, 0, 5))});
  const auto all = ledger.recent_calls(10);
  ASSERT_TRUE(all);
  const std::string json = calls_json(*all);
  EXPECT_NE(json.find(R"("task":"none")"), std::string::npos);
  EXPECT_NE(json.find(R"("tokens":{"uncached":20,)"), std::string::npos);
  EXPECT_NE(json.find(R"("booked":"wasted"},{"id":)"), std::string::npos);
}

TEST(CallsJson, NothingIsAnEmptyList) {
  EXPECT_EQ(calls_json({}), R"({"calls":[]})");
}

}  // namespace
}  // namespace weir::accounting
