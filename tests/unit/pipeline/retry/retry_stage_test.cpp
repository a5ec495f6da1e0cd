#include "pipeline/retry/retry_stage.hpp"

#include "fakes/recording_sink.hpp"
#include "fakes/run_once.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::pipeline {
namespace {

class Scripted final : public Provider {
 public:
  awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink&) override {
    ++sent;
    seen_patch = call.exchange.patch.size();
    seen_model = call.target.upstream_model;
    EXPECT_NE(attempt.started, TimePoint{});
    EXPECT_EQ(&attempt, &call.exchange.attempts.back());
    attempt.provider_status = 200;
    co_return ending;
  }
  Ending ending;
  int sent = 0;
  std::size_t seen_patch = 0;
  std::string seen_model;
};

class Body final : public AddressedBody {
 public:
  Patch patch_for(std::string_view upstream_model) const override {
    Patch patch;
    patch.replace(0, 1, std::string(upstream_model));
    return patch;
  }
};

class RetryStageTest : public testing::Test {
 protected:
  RetryStageTest() {
    exchange.plan.target.provider = &provider;
    exchange.plan.target.provider_name = "openai";
    exchange.plan.target.model = "fast";
    exchange.plan.target.upstream_model = "gpt-4o-mini";
  }
  Ending call() {
    RetryStage stage;
    return fakes::run_once(stage.call(exchange, sink));
  }
  Scripted provider;
  Exchange exchange;
  fakes::RecordingSink sink;
};

TEST_F(RetryStageTest, OneAttemptIsMadeAndWrittenDown) {
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(provider.sent, 1);
  ASSERT_EQ(exchange.attempts.size(), 1U);
  EXPECT_EQ(exchange.attempts[0].provider, "openai");
  EXPECT_EQ(exchange.attempts[0].model, "fast");
  EXPECT_EQ(exchange.attempts[0].failure, Failure::none);
  EXPECT_EQ(exchange.attempts[0].phase, Phase::none);
  EXPECT_EQ(exchange.attempts[0].provider_status, 200);
}

TEST_F(RetryStageTest, AFailureIsWrittenDownAndNotPaidTwice) {
  for (const FailureRow& row : kFailures) {
    exchange.attempts.clear();
    provider.sent = 0;
    provider.ending.failure = row.failure;
    provider.ending.phase = Phase::await_headers;
    provider.ending.message = "as the provider said";
    const Ending ending = call();
    EXPECT_EQ(provider.sent, 1) << row.name;
    EXPECT_EQ(ending.failure, row.failure);
    EXPECT_EQ(ending.message, "as the provider said");
    ASSERT_EQ(exchange.attempts.size(), 1U);
    EXPECT_EQ(exchange.attempts[0].failure, row.failure);
    EXPECT_EQ(exchange.attempts[0].phase, Phase::await_headers);
  }
}

TEST_F(RetryStageTest, TheBodyIsAddressedToTheTarget) {
  const Body body;
  exchange.request.addressed = &body;
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(provider.seen_patch, 1U);
  EXPECT_EQ(provider.seen_model, "gpt-4o-mini");
  EXPECT_EQ(exchange.patch.begin()->replacement, "gpt-4o-mini");
}

TEST_F(RetryStageTest, WithoutADialectTheBodyGoesAsItIs) {
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(provider.seen_patch, 0U);
}

}  // namespace
}  // namespace weir::pipeline
