#include "accounting/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "unit/accounting/fake_ledger.hpp"

namespace weir::accounting {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'795'644'929'781;  // 2026-11-25T22:15:29.781Z

class ExplainTest : public testing::Test {
 protected:
  ExplainTest() : call(call_of(kNow, "support", "gpt-4o-mini")) {
    Random random(4);
    call.id = CallId::make(kNow, random);
    call.request_id = "order-17";
    call.messages = 12;
    call.prompt_bytes = 4'321;
    call.first_byte_us = 790'000;
  }
  static store::AttemptRow tried(std::string_view model = "gpt-4o-mini") {
    auto attempt = attempt_of(model, kMini, tokens_of(1'000, 200, 100, 30));
    attempt.provider_request_id = "req_8f2c";
    attempt.reused_connection = true;
    set(attempt, Phase::send, 20);
    set(attempt, Phase::await_headers, 780'000);
    set(attempt, Phase::body, 19'000);
    return attempt;
  }
  static store::AttemptRow failed(Failure failure, Phase phase) {
    store::AttemptRow attempt;
    attempt.provider = "openai";
    attempt.model = "gpt-4o-mini";
    attempt.failure = failure;
    attempt.phase = phase;
    attempt.price_known = true;
    attempt.wasted = true;
    return attempt;
  }
  static void set(store::AttemptRow& attempt, Phase phase, std::int64_t us) {
    attempt.phases_us[static_cast<std::size_t>(phase)] = us;
  }
  void ended(Outcome outcome, Failure failure, Phase phase, std::uint16_t status) {
    call.outcome = outcome;
    call.failure = failure;
    call.phase = phase;
    call.status = status;
  }
  std::string text(const std::vector<store::AttemptRow>& attempts) {
    std::string told = explain_call(call, attempts);
    if (std::getenv("WEIR_SHOW") != nullptr) std::cout << told << "\n";
    return told;
  }

  store::CallRow call;
};

TEST_F(ExplainTest, APlainCallThatWentWell) {
  const std::string told = text({tried()});
  EXPECT_THAT(told, HasSubstr("call " + std::string{call.id.text()} + "\n  client's  request id order-17\n"));
  EXPECT_THAT(told, HasSubstr("began     2026-11-25T22:15:29.781Z, took 800.0 ms\n"));
  EXPECT_THAT(told, HasSubstr("asked     task support, model gpt-4o-mini, at openai, not streamed; 12 messages, "
                              "4,321 bytes of prompt\n"));
  EXPECT_THAT(told, HasSubstr("attempt 1 gpt-4o-mini at openai, key 0, open connection\n"));
  EXPECT_THAT(told, HasSubstr("sent; answered 200 as gpt-4o-mini (req_8f2c), whole\n"));
  EXPECT_THAT(told, HasSubstr("await_headers   780.0 ms  [####################################### ]\n"));
  EXPECT_THAT(told, HasSubstr("body             19.0 ms  [                                       #]\n"));
  EXPECT_THAT(told, Not(HasSubstr("connect ")));
  EXPECT_THAT(told, HasSubstr("1,200 prompt tokens (200 from the cache), 100 of output (30 reasoning): $0.000213000, "
                              "served\n"));
  EXPECT_THAT(told, HasSubstr("ended     well\n"));
  EXPECT_THAT(told, HasSubstr("client    200, the whole answer, first content after 790.0 ms\n"));
  EXPECT_THAT(told, HasSubstr("slow      the provider, until its first byte: 780.0 ms of 800.0 ms\n"));
  EXPECT_THAT(told, HasSubstr("cost      $0.000213000, nothing wasted\n"));
}

TEST_F(ExplainTest, AStreamedCallThatWentWell) {
  call.stream = true;
  call.key = "web";
  call.group = "shop";
  call.user = "u-17";
  call.tags = "team=a";
  auto attempt = tried();
  set(attempt, Phase::await_headers, 180'000);
  set(attempt, Phase::body, 619'000);
  const std::string told = text({attempt});
  EXPECT_THAT(told, HasSubstr("at openai, streamed; 12"));
  EXPECT_THAT(told, HasSubstr("by        key web, group shop, user u-17, tags team=a\n"));
  EXPECT_THAT(told, HasSubstr("slow      the provider's answer, and the client reading it: 619.0 ms of 800.0 ms; the "
                              "provider, until its first byte: 180.0 ms\n"));
}

TEST_F(ExplainTest, RefusedBeforeAnyProvider) {
  call.took_us = 90;
  call.first_byte_us = -1;
  ended(Outcome::client_error, Failure::client_malformed, Phase::none, 400);
  const std::string told = text({});
  EXPECT_THAT(told, Not(HasSubstr("attempt ")));
  EXPECT_THAT(told,
              HasSubstr("ended     client_error: client.malformed, refused by weir before any provider was asked"));
  EXPECT_THAT(told, HasSubstr("client    400, an error and no answer\n"));
  EXPECT_THAT(told, HasSubstr("slow      weir, and the client sending its request: 0.09 ms"));
  EXPECT_THAT(told, HasSubstr("cost      $0.000000000, nothing wasted"));
}

TEST_F(ExplainTest, NoConnection) {
  call.first_byte_us = -1;
  ended(Outcome::upstream_error, Failure::upstream_unreachable, Phase::connect, 502);
  auto attempt = failed(Failure::upstream_unreachable, Phase::connect);
  set(attempt, Phase::resolve, 1'000);
  set(attempt, Phase::connect, 790'000);
  const std::string told = text({attempt});
  EXPECT_THAT(told, HasSubstr("new connection\n"));
  EXPECT_THAT(told, HasSubstr("never sent: it ended while connecting to the provider: upstream.unreachable\n"));
  EXPECT_THAT(told, HasSubstr("nothing was billed\n"));
  EXPECT_THAT(told, HasSubstr("not tried again although it says nothing about other targets: no target, time or retry "
                              "budget was left\n"));
  EXPECT_THAT(told, HasSubstr("slow      the network to the provider: 791.0 ms of 800.0 ms"));
}

TEST_F(ExplainTest, NoFirstByte) {
  call.first_byte_us = -1;
  ended(Outcome::upstream_error, Failure::upstream_timeout_first_byte, Phase::await_headers, 504);
  auto attempt = failed(Failure::upstream_timeout_first_byte, Phase::await_headers);
  set(attempt, Phase::await_headers, 799'000);
  attempt.may_have_been_billed = true;
  attempt.usage = tokens_of(1'081, 0, 0);
  attempt.usage.estimated = true;
  attempt.cost = cost_of(kMini, attempt.usage);
  const std::string told = text({attempt});
  EXPECT_THAT(told, HasSubstr("sent, not answered: upstream.timeout.first_byte\n"));
  EXPECT_THAT(told, HasSubstr("1,081 prompt tokens, 0 of output, estimated from bytes: $0.000162150, wasted\n"));
  EXPECT_THAT(told,
              HasSubstr("ended     upstream_error: upstream.timeout.first_byte, in await_headers (waiting for the "
                        "provider's first byte)\n"));
  EXPECT_THAT(told, HasSubstr("cost      $0.000162150, $0.000162150 of it wasted\n"));
}

TEST_F(ExplainTest, AStreamThatWasCut) {
  call.stream = true;
  ended(Outcome::cut, Failure::upstream_protocol, Phase::body, 200);
  auto attempt = failed(Failure::upstream_protocol, Phase::body);
  attempt.status = 200;
  set(attempt, Phase::await_headers, 100'000);
  set(attempt, Phase::body, 600'000);
  const std::string told = text({attempt});
  EXPECT_THAT(told, HasSubstr("sent; answered 200, but the answer did not come whole: upstream.protocol\n"));
  EXPECT_THAT(told, HasSubstr("not tried again: the client already had a part of the answer\n"));
  EXPECT_THAT(told, HasSubstr("client    200, a part of the answer, then an error event or the end; first content"));
}

TEST_F(ExplainTest, TheClientLeft) {
  call.first_byte_us = -1;
  ended(Outcome::client_left, Failure::client_left, Phase::await_headers, 499);
  auto attempt = failed(Failure::client_left, Phase::await_headers);
  attempt.may_have_been_billed = true;
  attempt.price_known = false;
  set(attempt, Phase::await_headers, 799'000);
  const std::string told = text({attempt});
  EXPECT_THAT(told, HasSubstr("sent, not answered: client.left\n"));
  EXPECT_THAT(told, HasSubstr("what it used is not known\n"));
  EXPECT_THAT(told, HasSubstr("not tried again: nobody waits for the answer\n"));
  EXPECT_THAT(told, HasSubstr("client    left before anything was sent to it\n"));
  EXPECT_THAT(told, HasSubstr("a price is not known, so the cost is more"));
}

TEST_F(ExplainTest, TwoAttempts) {
  call.took_us = 1'600'000;
  auto first = failed(Failure::upstream_overloaded, Phase::body);
  first.status = 503;
  set(first, Phase::await_headers, 400'000);
  auto second = tried("claude-haiku");
  second.provider = "anthropic";
  const std::string told = text({first, second});
  EXPECT_THAT(told, HasSubstr("sent; answered 503: upstream.overloaded\n"));
  EXPECT_THAT(told, HasSubstr("tried again elsewhere: it says nothing about other targets\n"));
  EXPECT_THAT(told, HasSubstr("attempt 2 claude-haiku at anthropic"));
  EXPECT_THAT(told, HasSubstr("ended     well, at attempt 2\n"));
  // Half of it is drawn as the first attempt and what weir did around it, half as the second.
  EXPECT_THAT(told, HasSubstr("await_headers   400.0 ms  [          ##########                    ]\n"));
  EXPECT_THAT(told, HasSubstr("await_headers   780.0 ms  [                    ################### ]\n"));
  EXPECT_THAT(told, HasSubstr("weir, and the client sending its request: 401.0 ms"));
}

TEST_F(ExplainTest, TheSameTargetAgain) {
  auto first = failed(Failure::upstream_error, Phase::await_headers);
  first.status = 500;
  EXPECT_THAT(text({first, tried()}), HasSubstr("tried again at the same target: another try may go well\n"));
}

TEST_F(ExplainTest, AttemptsAtOnceAndOddNamesKeepTheDrawingWhole) {
  call.took_us = 800'000;
  call.user = "u\x1b[2J";
  const std::string told = text({failed(Failure::client_left, Phase::await_headers), tried(), tried()});
  EXPECT_THAT(told, HasSubstr("user u?[2J"));
  EXPECT_THAT(told, Not(HasSubstr("\x1b")));
}

TEST_F(ExplainTest, AllCallsOfAnId) {
  FakeLedger ledger;
  ledger.book(call, {tried()});
  ledger.book(call, {failed(Failure::upstream_error, Phase::body), tried()});
  const auto found = ledger.find_calls("order-17", 0, 20);
  ASSERT_TRUE(found);
  const std::string told = explain_calls(*found);
  EXPECT_THAT(told, HasSubstr("\n\ncall "));
  EXPECT_LT(told.find("attempt 2"), told.rfind("call ")) << "newest first";
}

}  // namespace
}  // namespace weir::accounting
