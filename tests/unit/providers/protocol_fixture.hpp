#pragma once
#include "providers/http_provider.hpp"

#include "fakes/event_message.hpp"
#include "fakes/loopback.hpp"
#include "fakes/recording_sink.hpp"
#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::providers {

using namespace std::chrono_literals;

inline constexpr std::string_view kChat =
    R"({"model":"m","messages":[{"role":"system","content":"Be short."},{"role":"user","content":"Hi"}]})";
inline constexpr std::string_view kChatStream =
    R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]})";
inline constexpr std::string_view kMessages =
    R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]})";

/// A protocol with the bytes that its documentation shows.
struct Spoken {
  Protocol protocol;
  std::string stream_type = "text/event-stream";
  std::string stream;
  std::string whole;
};

inline std::string sse(std::string_view event, std::string_view data) {
  return "event: " + std::string(event) + "\ndata: " + std::string(data) + "\n\n";
}

inline std::string anthropic_stream() {
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

inline const Spoken kAnthropic{
    Protocol::anthropic, "text/event-stream; charset=utf-8", anthropic_stream(),
    R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hello"}],)"
    R"("stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":2,)"
    R"("cache_read_input_tokens":3,"output_tokens":5}})"};

inline const Spoken kGemini{
    Protocol::gemini, "text/event-stream",
    R"(data: {"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"modelVersion":"g"})"
    "\r\n\r\n"
    R"(data: {"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"finishReason":"STOP","index":0}],)"
    R"("usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":5,"totalTokenCount":20},"modelVersion":"g"})"
    "\r\n\r\n",
    R"({"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"finishReason":"STOP","index":0}],)"
    R"("usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":5,"totalTokenCount":20},"modelVersion":"g"})"};

inline const Spoken kBedrock{
    Protocol::bedrock, "application/vnd.amazon.eventstream",
    fakes::converse_event("messageStart", R"({"role":"assistant"})") +
        fakes::converse_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"Hel"}})") +
        fakes::converse_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"lo"}})") +
        fakes::converse_event("contentBlockStop", R"({"contentBlockIndex":0})") +
        fakes::converse_event("messageStop", R"({"stopReason":"end_turn"})") +
        fakes::converse_event("metadata", R"({"usage":{"inputTokens":15,"outputTokens":5,"totalTokens":20}})"),
    R"({"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn",)"
    R"("usage":{"inputTokens":15,"outputTokens":5,"totalTokens":20}})"};

inline std::string answer(std::string_view type, std::string_view body, std::string_view status = "200 OK",
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

}  // namespace weir::providers
