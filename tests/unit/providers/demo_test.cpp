#include "providers/demo.hpp"

#include "fakes/recording_sink.hpp"
#include "fakes/turned_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace weir::providers {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Asked {
  Exchange exchange;
  Call call{exchange, exchange.plan.target};  // outlives the coroutine that refers to it
  Attempt attempt;
  fakes::RecordingSink sink;
};

class DemoProviderTest : public testing::Test {
 protected:
  void start(Asked& asked, std::string_view model, std::optional<Ending>& ending) {
    asked.exchange.request.body = R"({"messages":[]})";
    asked.exchange.plan.target.upstream_model = model;
    asked.attempt.started = Clock::now();
    worker.start(provider.send(asked.call, asked.attempt, asked.sink), ending);
  }
  Ending ask(Asked& asked, std::string_view model) {
    std::optional<Ending> ending;
    start(asked, model, ending);
    worker.until([&] { return ending.has_value(); });
    return *ending;
  }

  fakes::TurnedWorker worker;
  ProviderSettings settings;
  DemoProvider provider{*worker, settings};
};

TEST_F(DemoProviderTest, TheSameRequestGetsTheSameAnswer) {
  Asked one, again, other;
  EXPECT_TRUE(ask(one, "gpt-4o").ok());
  EXPECT_TRUE(ask(again, "gpt-4o").ok());
  EXPECT_TRUE(ask(other, "gpt-5").ok());
  EXPECT_TRUE(one.sink.is_whole);
  EXPECT_EQ(one.sink.body, again.sink.body);
  EXPECT_NE(one.sink.body, other.sink.body);
}

TEST_F(DemoProviderTest, SaysThatItIsADemoAndReportsUsage) {
  Asked asked;
  EXPECT_TRUE(ask(asked, "gpt \"4o\"").ok());
  const auto reply = nlohmann::json::parse(asked.sink.body);
  EXPECT_THAT(reply["choices"][0]["message"]["content"].get<std::string>(), StartsWith("[demo]"));
  EXPECT_EQ(reply["model"], "gpt \"4o\"");
  EXPECT_TRUE(asked.attempt.usage.reported);
  EXPECT_EQ(reply["usage"]["prompt_tokens"], asked.attempt.usage.prompt());
  EXPECT_EQ(reply["usage"]["completion_tokens"], asked.attempt.usage.output);
  EXPECT_GT(asked.attempt.usage.output, 10);
  EXPECT_EQ(asked.attempt.usage.uncached, 4);  // 15 bytes
  EXPECT_EQ(asked.attempt.reply_model, "gpt \"4o\"");
  EXPECT_EQ(asked.attempt.provider_status, 200);
}

TEST_F(DemoProviderTest, AStreamSaysTheSameWords) {
  Asked whole, streamed;
  streamed.exchange.request.stream = true;
  EXPECT_TRUE(ask(whole, "gpt-4o").ok());
  EXPECT_TRUE(ask(streamed, "gpt-4o").ok());
  EXPECT_TRUE(streamed.sink.event_stream);
  EXPECT_THAT(streamed.sink.body, EndsWith("data: [DONE]\n\n"));
  EXPECT_THAT(streamed.sink.body, Not(HasSubstr("\"usage\"")));
  std::string text;
  std::size_t at = 0;
  while ((at = streamed.sink.body.find("data: {", at)) != std::string::npos) {
    const std::size_t end = streamed.sink.body.find("\n\n", at);
    const auto chunk = nlohmann::json::parse(streamed.sink.body.substr(at + 6, end - at - 6));
    text += chunk["choices"][0]["delta"].value("content", "");
    at = end;
  }
  const auto reply = nlohmann::json::parse(whole.sink.body);
  EXPECT_EQ(text, reply["choices"][0]["message"]["content"].get<std::string>());
  EXPECT_EQ(streamed.attempt.usage, whole.attempt.usage);
  EXPECT_EQ(streamed.attempt.relayed_text_bytes, text.size());
}

TEST_F(DemoProviderTest, UsageIsStreamedToWhoAsksForIt) {
  Asked asked;
  asked.exchange.request.stream = true;
  asked.exchange.request.include_usage = true;
  EXPECT_TRUE(ask(asked, "gpt-4o").ok());
  EXPECT_EQ(asked.sink.usage_events, 1U);
  EXPECT_THAT(asked.sink.body, HasSubstr("\"choices\":[],\"usage\":{"));
}

TEST_F(DemoProviderTest, AnswersEachDialectInItsOwn) {
  const auto told = [&](Dialect dialect, std::string_view body, bool stream) {
    Asked asked;
    asked.exchange.request.dialect = dialect;
    asked.exchange.request.stream = stream;
    asked.exchange.request.body = body;
    asked.exchange.plan.target.upstream_model = "claude";
    asked.attempt.started = Clock::now();
    std::optional<Ending> ending;
    worker.start(provider.send(asked.call, asked.attempt, asked.sink), ending);
    worker.until([&] { return ending.has_value(); });
    EXPECT_TRUE(ending->ok()) << ending->message;
    return asked.sink.body;
  };
  constexpr std::string_view messages =
      R"({"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]})";
  const auto whole = nlohmann::json::parse(told(Dialect::anthropic, messages, false));
  EXPECT_EQ(whole["type"], "message");
  EXPECT_THAT(whole["content"][0]["text"].get<std::string>(), StartsWith("[demo]"));
  EXPECT_GT(whole["usage"]["output_tokens"], 10);
  const std::string stream = told(Dialect::anthropic, messages, true);
  EXPECT_THAT(stream, StartsWith("event: message_start\n"));
  EXPECT_THAT(stream, HasSubstr("event: message_stop\n"));
  EXPECT_THAT(told(Dialect::openai_responses, R"({"model":"claude","input":"Hi"})", false),
              HasSubstr(R"("object":"response")"));
  EXPECT_THAT(told(Dialect::openai_completions, R"({"model":"claude","prompt":"Hi"})", false),
              HasSubstr(R"("object":"text_completion")"));
}

TEST_F(DemoProviderTest, FailsOnDemand) {
  const struct {
    const char* model;
    Failure failure;
  } cases[] = {{"fail-401", Failure::upstream_credentials},
               {"fail-429", Failure::limit_rate},
               {"fail-500", Failure::upstream_error},
               {"fail-503", Failure::upstream_overloaded}};
  for (const auto& each : cases) {
    Asked asked;
    const Ending ending = ask(asked, each.model);
    EXPECT_EQ(ending.failure, each.failure) << each.model << " " << name_of(ending.failure);
    EXPECT_EQ(ending.phase, Phase::await_headers);
    EXPECT_FALSE(ending.content_sent);
    EXPECT_EQ(asked.sink.heads, 0U);
    EXPECT_EQ(asked.attempt.provider_status, std::stoi(std::string(each.model).substr(5)));
    EXPECT_FALSE(asked.attempt.may_have_been_billed);
  }
}

TEST_F(DemoProviderTest, OtherNamesThatLookAlikeAreAnswered) {
  for (const char* model : {"fail-", "fail-x", "fail-200", "fail-999", "failure", "cut"}) {
    Asked asked;
    EXPECT_TRUE(ask(asked, model).ok()) << model;
  }
}

TEST_F(DemoProviderTest, CutBreaksAStreamInTheMiddle) {
  Asked asked;
  asked.exchange.request.stream = true;
  const Ending ending = ask(asked, "cut");
  EXPECT_EQ(ending.failure, Failure::upstream_protocol);
  EXPECT_EQ(ending.phase, Phase::body);
  EXPECT_TRUE(ending.content_sent);
  EXPECT_THAT(asked.sink.body, Not(HasSubstr("[DONE]")));
  EXPECT_GT(asked.attempt.relayed_text_bytes, 0U);
}

TEST_F(DemoProviderTest, ATimeoutIsTheTimersReason) {
  Asked asked;
  asked.exchange.plan.target.time_limits.first_byte = 5s;
  std::optional<Ending> ending;
  start(asked, "fail-timeout", ending);
  EXPECT_FALSE(ending.has_value());
  worker.skip(6s);
  worker.until([&] { return ending.has_value(); });
  EXPECT_EQ(ending->failure, Failure::upstream_timeout_first_byte);
  EXPECT_EQ(ending->phase, Phase::await_headers);
}

TEST_F(DemoProviderTest, AClientThatLeavesBreaksItOff) {
  Asked asked;
  std::optional<Ending> ending;
  start(asked, "slow", ending);
  EXPECT_FALSE(ending.has_value());
  asked.exchange.interrupt.fire(InterruptReason::client_left);
  worker.until([&] { return ending.has_value(); });
  EXPECT_EQ(ending->failure, Failure::client_left);
  Asked streamed;
  streamed.exchange.request.stream = true;
  streamed.sink.flushes_max = 2;
  EXPECT_EQ(ask(streamed, "gpt-4o").failure, Failure::client_left);
}

TEST_F(DemoProviderTest, APassThroughIsNotSupported) {
  Asked asked;
  asked.exchange.raw = true;
  const Ending ending = ask(asked, "gpt-4o");
  EXPECT_EQ(ending.failure, Failure::client_not_found);
  EXPECT_EQ(asked.sink.heads, 0U);
}

}  // namespace
}  // namespace weir::providers
