#include "unit/providers/protocol_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::providers {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class EachProtocol : public ProtocolTest, public testing::WithParamInterface<const Spoken*> {};
INSTANTIATE_TEST_SUITE_P(Upstream, EachProtocol, testing::Values(&kAnthropic, &kGemini, &kBedrock),
                         [](const auto& about) {
                           return about.param == &kAnthropic ? "anthropic"
                                  : about.param == &kGemini  ? "gemini"
                                                             : "bedrock";
                         });

TEST_P(EachProtocol, AWholeAnswerBecomesTheClientsOwn) {
  speak(GetParam()->protocol);
  const auto asked = chat(kChat, answer("application/json", GetParam()->whole));
  ASSERT_TRUE(asked->ending->ok()) << asked->ending->message;
  EXPECT_TRUE(asked->sink.is_whole);
  EXPECT_EQ(asked->sink.content_type, "application/json");
  EXPECT_THAT(asked->sink.body, AllOf(HasSubstr(R"("object":"chat.completion")"), HasSubstr(R"("content":"Hello")"),
                                      HasSubstr(R"("finish_reason":"stop")"), HasSubstr(R"("prompt_tokens":15)")));
  expect_usage(*asked);
}

TEST_P(EachProtocol, AStreamBecomesTheClientsOwn) {
  speak(GetParam()->protocol);
  const auto asked = chat(kChatStream, answer(GetParam()->stream_type, GetParam()->stream));
  ASSERT_TRUE(asked->ending->ok()) << asked->ending->message;
  EXPECT_TRUE(asked->sink.event_stream);
  EXPECT_EQ(asked->sink.content_type, "text/event-stream");
  EXPECT_THAT(asked->sink.body, AllOf(HasSubstr("\"Hel\""), HasSubstr("\"lo\""), HasSubstr(R"("finish_reason":"stop")"),
                                      HasSubstr(R"("prompt_tokens":15)"), testing::EndsWith("data: [DONE]\n\n")));
  EXPECT_EQ(asked->sink.usage_events, 1U);
  expect_usage(*asked);
}

TEST_P(EachProtocol, JsonToAStreamedCallIsToldAsAStream) {
  speak(GetParam()->protocol);
  const auto asked = chat(kChatStream, answer("application/json", GetParam()->whole));
  ASSERT_TRUE(asked->ending->ok()) << asked->ending->message;
  EXPECT_TRUE(asked->sink.event_stream);
  EXPECT_THAT(asked->sink.body, AllOf(HasSubstr("\"Hello\""), testing::EndsWith("data: [DONE]\n\n")));
  expect_usage(*asked);
}

TEST_P(EachProtocol, AStreamCutAtEveryByteIsOneHonestEnding) {
  speak(GetParam()->protocol);
  const std::string& stream = GetParam()->stream;
  const std::string head = answer(GetParam()->stream_type, stream);
  const std::size_t begin = head.size() - stream.size();
  for (std::size_t size = 0; size < stream.size(); ++size) {
    const auto asked = chat(kChatStream, std::string_view(head).substr(0, begin + size));
    const bool told_whole = asked->sink.body.ends_with("data: [DONE]\n\n");
    ASSERT_EQ(asked->ending->ok(), told_whole) << size;
    if (told_whole) continue;
    ASSERT_EQ(asked->ending->failure, Failure::upstream_protocol) << size;
    ASSERT_FALSE(asked->ending->message.empty());
    ASSERT_EQ(asked->ending->content_sent, asked->sink.flushed > 0) << size;
    ASSERT_EQ(asked->ending->content_sent, asked->sink.body.find("Hel") != std::string::npos) << size;
  }
}

TEST_P(EachProtocol, WhatIsNoAnswerIsTheProvidersFailure) {
  speak(GetParam()->protocol);
  for (const std::string_view body : {"", "<html>", "[]", "{}", "{\"a\":"}) {
    const auto asked = chat(kChat, answer("application/json", body));
    EXPECT_EQ(asked->ending->failure, Failure::upstream_protocol) << body;
    EXPECT_FALSE(asked->sink.is_whole);
  }
}

TEST_P(EachProtocol, ItsErrorsAreClassified) {
  speak(GetParam()->protocol);
  struct Case {
    std::string_view status;
    Failure failure;
  };
  for (const Case& one :
       {Case{"429 Too Many", Failure::limit_rate}, Case{"403 Forbidden", Failure::upstream_credentials},
        Case{"503 Unavailable", Failure::upstream_overloaded}}) {
    const auto asked = chat(kChat, answer("application/json", R"({"message":"no"})", one.status, "Retry-After: 7\r\n"));
    EXPECT_EQ(asked->ending->failure, one.failure) << one.status;
    EXPECT_EQ(asked->ending->back_in, 7000ms) << one.status;
    EXPECT_EQ(asked->ending->provider_body, "") << "it is no error of the client's dialect";
  }
}

TEST_F(ProtocolTest, AnthropicsRequest) {
  speak(Protocol::anthropic);
  std::string request;
  const auto asked =
      chat(kChat, answer("application/json", kAnthropic.whole, "200 OK", "request-id: req_7\r\n"), &request);
  EXPECT_THAT(request,
              AllOf(StartsWith("POST /v1/messages HTTP/1.1\r\n"), HasSubstr("\r\nx-api-key: k-one\r\n"),
                    HasSubstr("\r\nanthropic-version: 2023-06-01\r\n"),
                    HasSubstr("\r\nContent-Type: application/json\r\n"), Not(HasSubstr("client")),
                    HasSubstr(R"("model":"claude-x")"), HasSubstr(R"("system":)"), HasSubstr(R"("max_tokens":)")));
  EXPECT_EQ(asked->attempt.provider_request_id, "req_7");
  EXPECT_EQ(asked->attempt.reply_model, "claude-x");
  EXPECT_EQ(asked->attempt.usage.cache_read, 3);
}

TEST_F(ProtocolTest, GeminisRequest) {
  speak(Protocol::gemini);
  std::string request;
  chat(kChatStream, answer("text/event-stream", kGemini.stream), &request);
  EXPECT_THAT(request, AllOf(StartsWith("POST /v1beta/models/claude-x:streamGenerateContent?alt=sse HTTP/1.1\r\n"),
                             HasSubstr("\r\nx-goog-api-key: k-one\r\n"), Not(HasSubstr("Authorization"))));
}

TEST_F(ProtocolTest, BedrocksRequestIsSigned) {
  speak(Protocol::bedrock);
  std::string request;
  chat(kChatStream, answer(kBedrock.stream_type, kBedrock.stream), &request);
  EXPECT_THAT(request, AllOf(StartsWith("POST /model/claude-x/converse-stream HTTP/1.1\r\n"),
                             HasSubstr("\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
                             HasSubstr("/eu-central-1/bedrock/aws4_request"), HasSubstr("\r\nX-Amz-Date: "),
                             HasSubstr("\r\nX-Amz-Security-Token: token\r\n"),
                             HasSubstr("\r\nAccept: application/vnd.amazon.eventstream\r\n")));
}

TEST_F(ProtocolTest, AzuresRequestNamesItsDeployment) {
  settings.azure.api_version = "2024-10-21";
  speak(Protocol::azure);
  std::string request;
  chat(kChat, answer("application/json", R"({"error":{"code":"DeploymentNotFound","message":"x"}})", "404 Not Found"),
       &request);
  EXPECT_THAT(request,
              AllOf(StartsWith("POST /openai/deployments/claude-x/chat/completions?api-version=2024-10-21 HTTP"),
                    HasSubstr("\r\napi-key: k-one\r\n"), testing::EndsWith(std::string(kChat))));
}

TEST_F(ProtocolTest, AKeyOfSeveralIsTheAttempts) {
  speak(Protocol::anthropic);
  auto asked = ask(Dialect::openai_chat, kChat, "/v1/chat/completions");
  asked->attempt.key_index = 1;
  send(*asked);
  fakes::Peer peer = accept();
  EXPECT_THAT(peer.got(), HasSubstr("\r\nx-api-key: k-two\r\n"));
  peer.send(answer("application/json", kAnthropic.whole));
  EXPECT_TRUE(end(*asked).ok());
}

TEST_F(ProtocolTest, AnthropicToAnthropicIsByteForByte) {
  speak(Protocol::anthropic);
  headers.push_back({"anthropic-version", "2024-01-01"});
  headers.push_back({"anthropic-beta", "a,b"});
  auto asked = ask(Dialect::anthropic, kMessages, "/v1/messages?beta=true");
  send(*asked);
  fakes::Peer peer = accept();
  EXPECT_THAT(peer.got(), AllOf(StartsWith("POST /v1/messages?beta=true HTTP/1.1\r\n"),
                                HasSubstr("\r\nanthropic-version: 2024-01-01\r\n"), Not(HasSubstr("2023-06-01")),
                                HasSubstr("\r\nanthropic-beta: a,b\r\n"), testing::EndsWith(std::string(kMessages))));
  peer.send(answer("text/event-stream", kAnthropic.stream));
  ASSERT_TRUE(end(*asked).ok());
  EXPECT_EQ(asked->sink.body, kAnthropic.stream);
  expect_usage(*asked);
  EXPECT_EQ(asked->exchange.dropped, "");
}

TEST_F(ProtocolTest, AnErrorInsideAStreamBeforeContentCanStillGoElsewhere) {
  speak(Protocol::anthropic);
  const std::string broken =
      kAnthropic.stream.substr(0, kAnthropic.stream.find("event: content_block_start")) +
      sse("error", R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  auto asked = ask(Dialect::anthropic, kMessages, "/v1/messages");
  send(*asked);
  fakes::Peer peer = accept();
  peer.send(answer("text/event-stream", broken));
  EXPECT_EQ(end(*asked).failure, Failure::upstream_overloaded);
  EXPECT_FALSE(asked->ending->content_sent);
  EXPECT_THAT(asked->sink.body, Not(HasSubstr("overloaded")));
}

TEST_F(ProtocolTest, AResponsesClientReachesAChatServerThatHasNoResponses) {
  settings.quirks.responses = false;
  speak(Protocol::openai);
  settings.quirks.responses = true;
  auto asked = ask(Dialect::openai_responses, R"({"model":"m","input":"Hi"})", "/v1/responses");
  send(*asked);
  fakes::Peer peer = accept();
  EXPECT_THAT(peer.got(), StartsWith("POST /chat/completions HTTP/1.1\r\n"));
  peer.send(answer("application/json",
                   R"({"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":)"
                   R"("assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":15,)"
                   R"("completion_tokens":5,"total_tokens":20}})"));
  ASSERT_TRUE(end(*asked).ok()) << asked->ending->message;
  EXPECT_THAT(asked->sink.body, AllOf(HasSubstr(R"("object":"response")"), HasSubstr("Hello")));
  expect_usage(*asked);
}

TEST_F(ProtocolTest, WhatTheTargetCannotTakeIsRefusedBeforeAnythingIsSent) {
  speak(Protocol::gemini);
  auto asked = ask(Dialect::openai_chat,
                   R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":)"
                   R"({"url":"https://example.com/a.png"}}]}]})",
                   "/v1/chat/completions");
  send(*asked);
  EXPECT_EQ(end(*asked).failure, Failure::client_malformed);
  EXPECT_FALSE(listener.knocked());

  auto tools =
      ask(Dialect::openai_chat, R"({"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f"}}]})",
          "/v1/chat/completions");
  tools->exchange.plan.target.abilities = {.stated = true, .tools = false};
  send(*tools);
  EXPECT_EQ(end(*tools).failure, Failure::client_malformed);
  EXPECT_EQ(tools->ending->param, "tools");
  EXPECT_FALSE(listener.knocked());
}

TEST_F(ProtocolTest, WhatAModelLacksIsRefusedAlsoWhereTheBytesWouldPass) {
  speak(Protocol::openai);
  struct Case {
    ModelAbilities able;
    bool Request::* needs;
    std::string_view param;
  };
  for (const Case& one :
       {Case{{.stated = true, .certain = true, .tools = false}, &Request::needs_tools, "tools"},
        Case{{.stated = true, .certain = true, .schema = false}, &Request::needs_schema, "response_format"},
        Case{{.stated = true, .certain = true, .streaming = false}, &Request::stream, "stream"}}) {
    auto asked = ask(Dialect::openai_chat, kChat, "/v1/chat/completions");
    asked->exchange.request.*one.needs = true;
    asked->exchange.plan.target.abilities = one.able;
    send(*asked);
    EXPECT_EQ(end(*asked).failure, Failure::client_malformed);
    EXPECT_EQ(asked->ending->param, one.param);
    EXPECT_THAT(asked->ending->message, HasSubstr("abilities"));
    EXPECT_FALSE(listener.knocked());
    // What is not needed is not missed, and what only the catalogue does not name may be there.
    for (const bool needed : {false, true}) {
      asked = ask(Dialect::openai_chat, kChat, "/v1/chat/completions");
      asked->exchange.request.*one.needs = needed;
      asked->exchange.plan.target.abilities = one.able;
      asked->exchange.plan.target.abilities.certain = !needed;
      send(*asked);
      fakes::Peer peer = accept();
      peer.send(answer("application/json", "{}"));
      end(*asked);
    }
  }
}

TEST_F(ProtocolTest, WhatIsLeftOutIsNamedOrRefused) {
  speak(Protocol::anthropic);
  constexpr std::string_view body = R"({"model":"m","seed":7,"shiny":1,"messages":[{"role":"user","content":"Hi"}]})";
  const auto asked = chat(body, answer("application/json", kAnthropic.whole));
  EXPECT_TRUE(asked->ending->ok());
  EXPECT_THAT(asked->exchange.dropped, AllOf(HasSubstr("seed"), HasSubstr("shiny")));
  EXPECT_THAT(asked->exchange.dropped_fields, testing::ElementsAre("seed", "other"));
  EXPECT_EQ(asked->exchange.dropped_to, "anthropic");

  auto strict = ask(Dialect::openai_chat, body, "/v1/chat/completions");
  strict->exchange.plan.strict = true;
  send(*strict);
  EXPECT_EQ(end(*strict).failure, Failure::client_malformed);
  EXPECT_THAT(strict->ending->message, HasSubstr("seed"));
  EXPECT_FALSE(listener.knocked());
}

}  // namespace
}  // namespace weir::providers
