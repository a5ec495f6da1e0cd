#include "providers/http_provider.hpp"

#include "fakes/event_message.hpp"
#include "fakes/loopback.hpp"
#include "fakes/recording_sink.hpp"
#include "fakes/turned_worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::providers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kChat =
    R"({"model":"m","messages":[{"role":"system","content":"Be short."},{"role":"user","content":"Hi"}]})";
constexpr std::string_view kChatStream =
    R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]})";
constexpr std::string_view kMessages =
    R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]})";

/// A protocol with the bytes that its documentation shows.
struct Spoken {
  Protocol protocol;
  std::string stream_type = "text/event-stream";
  std::string stream;
  std::string whole;
};

std::string sse(std::string_view event, std::string_view data) {
  return "event: " + std::string(event) + "\ndata: " + std::string(data) + "\n\n";
}

std::string anthropic_stream() {
  return sse("message_start", R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",)"
                              R"("model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":10,)"
                              R"("cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":1}}})") +
         sse("content_block_start",
             R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})") +
         sse("ping", R"({"type":"ping"})") +
         sse("content_block_delta",
             R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}})") +
         sse("content_block_delta",
             R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}})") +
         sse("content_block_stop", R"({"type":"content_block_stop","index":0})") +
         sse("message_delta", R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},)"
                              R"("usage":{"output_tokens":5}})") +
         sse("message_stop", R"({"type":"message_stop"})");
}

const Spoken kAnthropic{
    Protocol::anthropic, "text/event-stream; charset=utf-8", anthropic_stream(),
    R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hello"}],)"
    R"("stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":2,)"
    R"("cache_read_input_tokens":3,"output_tokens":5}})"};

const Spoken kGemini{
    Protocol::gemini, "text/event-stream",
    R"(data: {"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"modelVersion":"g"})"
    "\r\n\r\n"
    R"(data: {"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"finishReason":"STOP","index":0}],)"
    R"("usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":5,"totalTokenCount":20},"modelVersion":"g"})"
    "\r\n\r\n",
    R"({"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"finishReason":"STOP","index":0}],)"
    R"("usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":5,"totalTokenCount":20},"modelVersion":"g"})"};

const Spoken kBedrock{
    Protocol::bedrock, "application/vnd.amazon.eventstream",
    fakes::converse_event("messageStart", R"({"role":"assistant"})") +
        fakes::converse_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"Hel"}})") +
        fakes::converse_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"lo"}})") +
        fakes::converse_event("contentBlockStop", R"({"contentBlockIndex":0})") +
        fakes::converse_event("messageStop", R"({"stopReason":"end_turn"})") +
        fakes::converse_event("metadata", R"({"usage":{"inputTokens":15,"outputTokens":5,"totalTokens":20}})"),
    R"({"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn",)"
    R"("usage":{"inputTokens":15,"outputTokens":5,"totalTokens":20}})"};

std::string answer(std::string_view type, std::string_view body, std::string_view status = "200 OK",
                   std::string_view more = "") {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: ").append(type).append("\r\n").append(more);
  return text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

struct Asked {
  Exchange exchange;
  Call call{exchange, exchange.plan.target};
  Attempt attempt;
  fakes::RecordingSink sink;
  std::optional<Ending> ending;
};

class ProtocolTest : public testing::Test {
 protected:
  void speak(Protocol protocol) {
    address = std::make_shared<net::UpstreamAddress>();
    address->host = "127.0.0.1";
    address->port = listener.port();
    pool = std::make_shared<net::UpstreamPool>(*worker, resolver, address);
    settings.name = "up";
    settings.protocol = protocol;
    settings.base_url = "http://127.0.0.1:" + std::to_string(listener.port());
    settings.api_key = "k-one";
    settings.more_api_keys = {"k-two"};
    settings.bedrock = {"eu-central-1", {"AKIDEXAMPLE", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I", "token"}};
    settings.quirks.image_urls = protocol != Protocol::gemini;
    provider.emplace(*worker, pool, settings, first_byte_times, offload);
  }
  std::unique_ptr<Asked> ask(Dialect dialect, std::string_view body, std::string_view target) {
    auto asked = std::make_unique<Asked>();
    Exchange& exchange = asked->exchange;
    exchange.started = Clock::now();
    exchange.request_id = "call-1";
    exchange.request.method = "POST";
    exchange.request.target = target;
    exchange.request.body = body;
    exchange.request.headers = headers;
    exchange.request.dialect = dialect;
    exchange.request.stream = body.find("\"stream\":true") != std::string_view::npos;
    exchange.request.include_usage = exchange.request.stream && dialect == Dialect::openai_chat;
    exchange.plan.target.provider_name = "up";
    exchange.plan.target.model = "fast";
    exchange.plan.target.upstream_model = "claude-x";
    exchange.plan.target.time_limits = {2s, 5s, 5s, 600s};
    return asked;
  }
  void send(Asked& asked) {
    asked.attempt.started = Clock::now();
    worker.start(provider->send(asked.call, asked.attempt, asked.sink), asked.ending);
  }
  static bool is_whole(const std::string& got) {
    const std::size_t end = got.find("\r\n\r\n");
    const std::size_t length = got.find("Content-Length: ");
    if (end == std::string::npos || length == std::string::npos) return false;
    return got.size() == end + 4 + static_cast<std::size_t>(std::atoll(got.c_str() + length + 16));
  }
  fakes::Peer accept() {
    worker.until([&] { return listener.knocked(); });
    fakes::Peer peer = listener.accept();
    worker.until([&] { return is_whole(peer.got()); });
    return peer;
  }
  const Ending& end(Asked& asked) {
    worker.until([&] { return asked.ending.has_value(); });
    return *asked.ending;
  }
  /// A call of OpenAI's chat that gets `reply`.
  std::unique_ptr<Asked> chat(std::string_view body, std::string_view reply, std::string* request = nullptr) {
    auto asked = ask(Dialect::openai_chat, body, "/v1/chat/completions");
    send(*asked);
    fakes::Peer peer = accept();
    if (request != nullptr) *request = peer.got();
    peer.send(reply);
    peer.shutdown_send();
    end(*asked);
    return asked;
  }
  static void expect_usage(const Asked& asked) {
    EXPECT_EQ(asked.attempt.usage.prompt(), 15);
    EXPECT_EQ(asked.attempt.usage.output, 5);
    EXPECT_TRUE(asked.attempt.usage.reported);
    EXPECT_EQ(asked.attempt.relayed_text_bytes, 5U);
  }

  fakes::TurnedWorker worker;
  fakes::LoopbackListener listener;
  net::Offload offload{1};
  net::Resolver resolver{*worker};
  targets::FirstByteTimes first_byte_times;
  std::shared_ptr<net::UpstreamAddress> address;
  std::shared_ptr<net::UpstreamPool> pool;
  ProviderSettings settings;
  std::optional<HttpProvider> provider;
  std::vector<HeaderField> headers{{"Content-Type", "application/json"}, {"Authorization", "Bearer client"}};
};

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
