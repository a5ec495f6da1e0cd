#include "telemetry/trace_spans.hpp"

#include "unit/telemetry/call_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace weir::telemetry {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

BookedCall traced() {
  BookedCall call;
  Exchange& exchange = call.exchange;
  exchange.trace = {0x4bf92f3577b34da6, 0xa3ce929d0e0e4736, 0x00f067aa0ba902b7, 0x0102030405060708, true};
  exchange.request.model = "support";
  exchange.first_byte_sent = exchange.started + 600ms;
  Attempt& attempt = exchange.attempts[0];
  attempt.started = exchange.started + 1ms;
  attempt.span = 0x1112131415161718;
  return call;
}

std::string text_of(const Exchange& exchange) {
  std::string memory(call_spans_bytes_max, '\0');
  JsonWriter out{memory.data(), memory.data() + memory.size()};
  write_spans(out, exchange);
  EXPECT_FALSE(out.overflowed());
  memory.resize(static_cast<std::size_t>(out.at() - memory.data()));
  return memory;
}

json spans_in(const Exchange& exchange) {
  std::string text = spans_head() + text_of(exchange);
  text.pop_back();
  const json body = json::parse(text + kSpansTail);
  return body["resourceSpans"][0]["scopeSpans"][0]["spans"];
}

json attribute(const json& span, const std::string& key) {
  for (const json& one : span["attributes"]) {
    if (one["key"] == key) return one["value"].begin().value();
  }
  return nullptr;
}

TEST(TraceSpans, AreWhatOtlpsJsonMappingSays) {
  const BookedCall call = traced();
  EXPECT_EQ(spans_in(call.exchange), json::parse(R"([
    {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "0102030405060708", "parentSpanId": "00f067aa0ba902b7",
     "name": "chat support", "kind": 2,
     "startTimeUnixNano": "1763701567123000000", "endTimeUnixNano": "1763701567973000000",
     "attributes": [
       {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
       {"key": "gen_ai.request.model", "value": {"stringValue": "support"}},
       {"key": "http.response.status_code", "value": {"intValue": "200"}},
       {"key": "weir.call_id", "value": {"stringValue": ")" +
                                                 std::string{call.exchange.id.text()} + R"("}},
       {"key": "weir.request_id", "value": {"stringValue": "req-1"}},
       {"key": "weir.route", "value": {"stringValue": "support"}},
       {"key": "weir.task", "value": {"stringValue": "billing"}},
       {"key": "weir.model", "value": {"stringValue": "gpt-4o-mini"}},
       {"key": "weir.provider", "value": {"stringValue": "openai"}},
       {"key": "weir.stream", "value": {"boolValue": false}},
       {"key": "weir.attempts", "value": {"intValue": "1"}},
       {"key": "weir.outcome", "value": {"stringValue": "ok"}},
       {"key": "weir.cost_usd", "value": {"doubleValue": 0.000225}},
       {"key": "weir.wasted_usd", "value": {"doubleValue": 0.0}}],
     "events": [{"timeUnixNano": "1763701567723000000", "name": "weir.first_content"}],
     "status": {}},
    {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "1112131415161718", "parentSpanId": "0102030405060708",
     "name": "chat gpt-4o-mini", "kind": 3,
     "startTimeUnixNano": "1763701567124000000", "endTimeUnixNano": "1763701567973100000",
     "attributes": [
       {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
       {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
       {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
       {"key": "gen_ai.response.model", "value": {"stringValue": "gpt-4o-mini-2024-07-18"}},
       {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1200"}},
       {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "100"}},
       {"key": "gen_ai.usage.cache_read.input_tokens", "value": {"intValue": "200"}},
       {"key": "gen_ai.usage.reasoning.output_tokens", "value": {"intValue": "30"}},
       {"key": "http.response.status_code", "value": {"intValue": "200"}},
       {"key": "weir.provider_request_id", "value": {"stringValue": "req_abc"}},
       {"key": "weir.key_index", "value": {"intValue": "0"}},
       {"key": "weir.reused_connection", "value": {"boolValue": true}},
       {"key": "weir.cost_usd", "value": {"doubleValue": 0.000225}}],
     "events": [
       {"timeUnixNano": "1763701567124000000", "name": "weir.send",
        "attributes": [{"key": "weir.phase_ms", "value": {"doubleValue": 0.1}}]},
       {"timeUnixNano": "1763701567124100000", "name": "weir.await_headers",
        "attributes": [{"key": "weir.phase_ms", "value": {"doubleValue": 500.0}}]},
       {"timeUnixNano": "1763701567624100000", "name": "weir.body",
        "attributes": [{"key": "weir.phase_ms", "value": {"doubleValue": 349.0}}]}],
     "status": {}}])"));
}

TEST(TraceSpans, ATraceThatBeginsHereHasNoParent) {
  BookedCall call = traced();
  call.exchange.trace.parent_span = 0;
  const json spans = spans_in(call.exchange);
  EXPECT_FALSE(spans[0].contains("parentSpanId"));
  EXPECT_TRUE(spans[1].contains("parentSpanId"));
}

TEST(TraceSpans, FailuresAreErrorsOfWhoCausedThem) {
  BookedCall call = traced();
  call.exchange.attempts[0].failure = Failure::upstream_error;
  call.exchange.attempts[0].phase = Phase::await_headers;
  call.attempt().span = 7;
  json spans = spans_in(call.exchange);
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans[0]["status"], json::object()) << "the second attempt saved the call";
  EXPECT_EQ(spans[1]["status"], (json{{"code", 2}, {"message", "upstream.error"}}));
  EXPECT_EQ(attribute(spans[1], "error.type"), "upstream.error");
  EXPECT_EQ(attribute(spans[1], "weir.phase"), "await_headers");
  EXPECT_EQ(spans[2]["status"], json::object());
  EXPECT_EQ(attribute(spans[0], "weir.attempts"), "2");

  for (const Failure failure : {Failure::upstream_error, Failure::gateway_busy, Failure::client_malformed,
                                Failure::limit_rate, Failure::client_left}) {
    call.exchange.failure = failure;
    call.exchange.outcome = row_of(failure).outcome;
    spans = spans_in(call.exchange);
    const bool ours = failure == Failure::upstream_error || failure == Failure::gateway_busy;
    EXPECT_EQ(spans[0]["status"].contains("code"), ours) << name_of(failure);
    EXPECT_EQ(attribute(spans[0], "error.type"), name_of(failure));
  }
}

TEST(TraceSpans, ACallThatReachedNoProviderIsOneSpan) {
  BookedCall call = traced();
  call.exchange.attempts.clear();
  call.exchange.request.model = {};
  call.exchange.first_byte_sent = {};
  const json spans = spans_in(call.exchange);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0]["name"], "chat");
  EXPECT_FALSE(spans[0].contains("events"));
}

TEST(TraceSpans, APassThroughSaysNothingOfItsPath) {
  BookedCall call = traced();
  call.exchange.raw = true;
  call.exchange.request.target = "/v1/files/secret-name?token=hunter2";
  call.exchange.request.body = "prompt text";
  const std::string text = text_of(call.exchange);
  EXPECT_THAT(text, HasSubstr("\"name\":\"pass-through\""));
  EXPECT_THAT(text, Not(HasSubstr("secret-name")));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, Not(HasSubstr("prompt text")));
  EXPECT_THAT(text, Not(HasSubstr("gen_ai.operation.name")));
}

TEST(TraceSpans, AKeyIsNamedAndNothingMore) {
  BookedCall call = traced();
  const Caller caller{.name = "web", .group = "shop", .zones = {}};
  call.exchange.caller = &caller;
  const json spans = spans_in(call.exchange);
  EXPECT_EQ(attribute(spans[0], "weir.key"), "web");
  EXPECT_EQ(attribute(spans[0], "weir.group"), "shop");
}

TEST(TraceSpans, AnAttemptWithoutASpanGetsTheOneThatItWouldHaveHad) {
  BookedCall call = traced();
  call.exchange.attempts[0].span = 0;
  std::string wanted(16, '0');
  write_hex(attempt_span(call.exchange.trace, 1), wanted.data());
  EXPECT_EQ(spans_in(call.exchange)[1]["spanId"], wanted);
}

TEST(TraceSpans, RubbishFromOutsideIsCutAndStaysJson) {
  BookedCall call = traced();
  const std::string rubbish = std::string(100'000, '\x01') + "\xff\"\\";
  const std::string umlauts = [] {
    std::string made;
    for (int i = 0; i < 200; ++i) made += "ü";
    return made;
  }();
  call.exchange.request.model = umlauts;
  call.exchange.request_id = rubbish;
  call.exchange.task = rubbish;
  call.exchange.attempts[0].reply_model = rubbish;
  call.exchange.attempts[0].provider_request_id = rubbish;
  const json spans = spans_in(call.exchange);
  EXPECT_EQ(spans[0]["name"].get<std::string>(), "chat " + umlauts.substr(0, 128));
  EXPECT_EQ(attribute(spans[1], "gen_ai.response.model").get<std::string>().size(), 128U);
}

}  // namespace
}  // namespace weir::telemetry
