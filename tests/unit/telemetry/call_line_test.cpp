#include "telemetry/call_line.hpp"
#include "telemetry/recent_calls.hpp"
#include "telemetry/telemetry.hpp"
#include "unit/telemetry/call_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace weir::telemetry {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string line_of(const Exchange& exchange) {
  std::string memory(call_line_bytes_max, '\0');
  JsonWriter out{memory.data(), memory.data() + memory.size()};
  TimeText time;
  write_call_line(out, exchange, time);
  EXPECT_FALSE(out.overflowed());
  memory.resize(static_cast<std::size_t>(out.at() - memory.data()));
  return memory;
}

TEST(CallLine, SaysAllThatHappened) {
  BookedCall call;
  call.exchange.first_byte_sent = call.exchange.started + 501ms;
  const std::string line = line_of(call.exchange);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(line, HasSubstr(R"("cost_usd":0.000225000,"wasted_usd":0.000000000,)"));
  const json parsed = json::parse(line);
  const json expected = json::parse(R"({
    "time": "2025-11-21T05:06:07.973Z", "event": "call", "request_id": "req-1", "route": "support",
    "task": "billing", "model": "gpt-4o-mini", "provider": "openai", "key": null, "group": null, "reply_model": "gpt-4o-mini-2024-07-18",
    "stream": false, "raw": false, "status": 200, "outcome": "ok", "failure": "none", "phase": "none", "attempts": 1,
    "reused_connection": true, "provider_status": 200, "provider_request_id": "req_abc",
    "tokens": {"uncached": 1000, "cache_read": 200, "cache_write": 0, "output": 70, "reasoning": 30,
               "estimated": false},
    "cost_usd": 0.000225, "wasted_usd": 0.0, "price_unknown": false, "took_ms": 850.0, "first_byte_ms": 501.0,
    "phases_ms": {"send": 0.1, "await_headers": 500.0, "body": 349.0}})");
  json without_id = parsed;
  EXPECT_EQ(without_id["id"], std::string{call.exchange.id.text()});
  without_id.erase("id");
  EXPECT_EQ(without_id, expected);
}

TEST(CallLine, ACallWithoutAnAttemptNamesItsTarget) {
  BookedCall call;
  call.exchange.attempts.clear();
  call.exchange.plan.route = {};
  call.exchange.failure = Failure::gateway_busy;
  call.exchange.outcome = Outcome::gateway_error;
  const json parsed = json::parse(line_of(call.exchange));
  EXPECT_EQ(parsed["provider"], "openai");
  EXPECT_EQ(parsed["route"], "none");
  EXPECT_EQ(parsed["attempts"], 0);
  EXPECT_EQ(parsed["failure"], "gateway.busy");
  EXPECT_TRUE(parsed["provider_status"].is_null());
  EXPECT_TRUE(parsed["reply_model"].is_null());
  EXPECT_TRUE(parsed["first_byte_ms"].is_null());
  EXPECT_EQ(parsed["phases_ms"], json::object());
}

TEST(CallLine, TextsFromOutsideCannotForgeALine) {
  BookedCall call;
  const std::string evil = "x\",\"cost_usd\":0}\n{\"event\":\"call\"\xFF\x01";
  call.exchange.request_id = evil;
  call.exchange.task = evil;
  call.exchange.attempts[0].model = evil;
  call.exchange.attempts[0].provider_request_id = evil;
  const std::string line = line_of(call.exchange);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const json parsed = json::parse(line);
  EXPECT_EQ(parsed["task"], "x\",\"cost_usd\":0}\n{\"event\":\"call\"\xEF\xBF\xBD\x01");
}

TEST(CallLine, TheLongestTextsStillFit) {
  BookedCall call;
  const std::string evil(100'000, '\x01');
  call.exchange.request_id = call.exchange.task = call.exchange.plan.route = evil;
  Attempt& attempt = call.exchange.attempts[0];
  attempt.model = attempt.provider = evil;
  attempt.reply_model = attempt.provider_request_id = evil;
  for (Duration& phase : attempt.phases) phase = std::chrono::hours{100'000};
  const std::string line = line_of(call.exchange);
  EXPECT_TRUE(json::accept(line));
  EXPECT_LT(line.size(), call_line_bytes_max);
}

TEST(CallLine, NeverHoldsPromptQueryOrKey) {
  BookedCall call;
  const HeaderField key{"authorization", "Bearer sk-secret"};
  call.exchange.request.headers = {&key, 1};
  call.exchange.request.target = "/v1/chat/completions?api_key=sk-secret";
  call.exchange.request.body = R"({"messages":[{"content":"sk-secret"}]})";
  EXPECT_THAT(line_of(call.exchange), Not(HasSubstr("secret")));
}

TEST(TimeText, IsRfc3339) {
  TimeText time;
  EXPECT_EQ(time.of(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time.of(1'763'701'567'007), "2025-11-21T05:06:07.007Z");
  EXPECT_EQ(time.of(1'763'701'567'890), "2025-11-21T05:06:07.890Z");
  EXPECT_EQ(time.of(1'709'210'096'999), "2024-02-29T12:34:56.999Z");
}

TEST(RecentCalls, AreFoundByEitherIdNewestFirst) {
  RecentCalls recent{10};
  for (int i = 0; i < 3; ++i) {
    BookedCall call{1'763'701'567'123 + i, static_cast<std::uint64_t>(i + 1)};
    recent.add(call.exchange);
  }
  EXPECT_EQ(recent.find("req-1").size(), 3U);
  EXPECT_TRUE(recent.find("req-2").empty());
  EXPECT_TRUE(recent.find("").empty());
  const json newest = json::parse(recent.find("req-1")[0]);
  EXPECT_EQ(newest["started"], "2025-11-21T05:06:07.125Z");
  EXPECT_EQ(json::parse(recent.find(newest["id"].get<std::string>()).at(0)), newest);
}

TEST(RecentCalls, TellEachAttempt) {
  RecentCalls recent{10};
  BookedCall call;
  call.exchange.attempts[0].failure = Failure::upstream_error;
  call.exchange.attempts[0].phase = Phase::await_headers;
  call.exchange.attempts[0].wasted = true;
  call.attempt().provider = "backup";
  recent.add(call.exchange);
  const std::string id{call.exchange.id.text()};
  const json found = json::parse(recent.find("req-1").at(0));
  EXPECT_EQ(found["provider"], "backup");
  EXPECT_EQ(found["cost_usd"], 0.000225);
  ASSERT_EQ(found["attempts"].size(), 2U);
  EXPECT_EQ(found["attempts"][0], json::parse(R"({"id":")" + id + R"(/1","provider":"openai","model":"gpt-4o-mini",
    "key_index":0,"phases_ms":{"send":0.1,"await_headers":500.0,"body":349.0},"failure":"upstream.error",
    "phase":"await_headers","status":200,"provider_request_id":"req_abc","may_have_been_billed":true,
    "tokens":{"uncached":1000,"cache_read":200,"cache_write":0,"output":70,"reasoning":30,"estimated":false},
    "cost_usd":0.000225,"booked":"wasted"})"));
  EXPECT_EQ(found["attempts"][1]["booked"], "served");
  EXPECT_EQ(found["attempts"][1]["provider"], "backup");
}

TEST(RecentCalls, TheOldestGoes) {
  RecentCalls recent{100};
  for (int i = 0; i < 1'050; ++i) {
    BookedCall call{1'763'701'567'123, static_cast<std::uint64_t>(i + 1)};
    const std::string id = "call-" + std::to_string(i);
    call.exchange.request_id = id;
    recent.add(call.exchange);
  }
  EXPECT_TRUE(recent.find("call-949").empty());
  EXPECT_EQ(recent.find("call-950").size(), 1U);
  EXPECT_EQ(recent.find("call-1049").size(), 1U);
}

TEST(CallsBody, JoinsWorkersNewestFirst) {
  RecentCalls one, two;
  for (int i = 0; i < 4; ++i) {
    BookedCall call{1'763'701'567'123 + i, static_cast<std::uint64_t>(i + 1)};
    (i % 2 == 0 ? one : two).add(call.exchange);
  }
  auto all = one.find("req-1");
  for (auto& call : two.find("req-1")) all.push_back(std::move(call));
  const json body = json::parse(Telemetry::calls_body(all));
  ASSERT_EQ(body["calls"].size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GT(body["calls"][i]["started"], body["calls"][i + 1]["started"]);
  EXPECT_EQ(Telemetry::calls_body({}), R"({"calls":[]})");
}

TEST(CallLine, ACallWithSeveralAttemptsTellsEach) {
  BookedCall call;
  call.exchange.attempts[0].failure = Failure::upstream_error;
  call.exchange.attempts[0].phase = Phase::body;
  call.exchange.attempts[0].provider_status = 500;
  call.attempt().key_index = 1;
  std::string text(call_line_bytes_max, '\0');
  JsonWriter out{text.data(), text.data() + text.size()};
  TimeText time;
  write_call_line(out, call.exchange, time);
  const auto parsed = json::parse(std::string_view{text.data(), static_cast<std::size_t>(out.at() - text.data())});
  EXPECT_EQ(parsed["attempts"], 2);
  EXPECT_EQ(parsed["tried"][0], json::parse(R"({"provider":"openai","model":"gpt-4o-mini","key_index":0,
      "failure":"upstream.error","phase":"body","status":500,"ms":849.1,"cost_usd":0.000225})"));
  EXPECT_EQ(parsed["tried"][1]["failure"], "none");
  EXPECT_EQ(parsed["tried"][1]["key_index"], 1);
}

TEST(CallLine, TheLongestLineFits) {
  BookedCall call;
  const std::string evil(400, '\x01');
  for (int i = 0; i < 11; ++i) call.attempt();
  for (Attempt& attempt : call.exchange.attempts) {
    attempt.model = attempt.provider = attempt.reply_model = attempt.provider_request_id = evil;
  }
  call.exchange.request_id = call.exchange.task = call.exchange.plan.route = evil;
  std::string text(call_line_bytes_max, '\0');
  JsonWriter out{text.data(), text.data() + text.size()};
  TimeText time;
  write_call_line(out, call.exchange, time);
  EXPECT_FALSE(out.overflowed());
}

}  // namespace
}  // namespace weir::telemetry
