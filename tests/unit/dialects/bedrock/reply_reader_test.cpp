#include "dialects/bedrock/reply_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dialects/bedrock/codec.hpp"
#include "dialects/bedrock/error_reader.hpp"
#include "dialects/bedrock/stream_decoder.hpp"
#include "fakes/chat_request.hpp"
#include "fakes/event_message.hpp"

namespace weir::bedrock {
namespace {

using namespace vocabulary;
using fakes::decoded;
using testing::ElementsAre;
using testing::HasSubstr;
using Stream = std::vector<std::pair<std::string, std::string>>;

std::string finish(Finish reason) {
  return "finish 0 " + std::to_string(static_cast<int>(reason));
}

TEST(BedrockReply, TextThinkingCallsAndUsage) {
  const auto reply = codec().decode_reply(
      R"({"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"S"}}},
          {"reasoningContent":{"redactedContent":"R"}},{"text":"a\n"},{"toolUse":{"toolUseId":"t1","name":"f","input":{"n": 1.10}}},
          {"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"Doc","location":{"documentPage":{"start":1}}}]}}]}},
          "stopReason":"tool_use","usage":{"inputTokens":10,"outputTokens":5,"totalTokens":45,"cacheReadInputTokens":20,
          "cacheWriteInputTokens":10,"cacheDetails":[{"ttl":"1h","inputTokens":4}]},"metrics":{"latencyMs":9}})",
      {});
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->usage.usage,
            (Usage{.uncached = 10, .cache_read = 20, .cache_write = 10, .output = 5, .reported = true}));
  EXPECT_EQ(reply->usage.details.cache_write_1h, 4);
  ASSERT_EQ(reply->choices.size(), 1U);
  EXPECT_EQ(reply->choices[0].finish, Finish::tool_calls);
  const auto& parts = reply->choices[0].parts;
  ASSERT_EQ(parts.size(), 5U);
  EXPECT_EQ(parts[0].as<ThinkingPart>()->signature, "S");
  EXPECT_EQ(parts[1].as<RedactedThinkingPart>()->data, "R");
  EXPECT_EQ(parts[2].as<TextPart>()->text, "a\n");
  EXPECT_EQ(parts[3].as<ToolCallPart>()->arguments, R"({"n": 1.10})");
  EXPECT_EQ(parts[4].as<TextPart>()->citations.at(0).title, "Doc");
}

TEST(BedrockReply, TheForcedToolsArgumentsAreTheAnswersText) {
  const auto reply = codec().decode_reply(
      R"({"output":{"message":{"content":[{"toolUse":{"toolUseId":"t","name":"person","input":{"age": 5}}}]}},"stopReason":"tool_use"})",
      {.schema_tool = "person"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->choices[0].parts.at(0).as<TextPart>()->text, R"({"age": 5})");
  EXPECT_EQ(reply->choices[0].finish, Finish::stop);
}

TEST(BedrockReply, Semantics7StopReasons) {
  const auto finish_for = [](const std::string& reason) {
    return codec().decode_reply(R"({"output":{"message":{"content":[]}},"stopReason":")" + reason + "\"}", {});
  };
  EXPECT_EQ(finish_for("end_turn")->choices[0].finish, Finish::stop);
  EXPECT_EQ(finish_for("stop_sequence")->choices[0].finish, Finish::stop_sequence);
  EXPECT_EQ(finish_for("max_tokens")->choices[0].finish, Finish::length);
  EXPECT_EQ(finish_for("model_context_window_exceeded")->choices[0].finish, Finish::length);
  EXPECT_EQ(finish_for("guardrail_intervened")->choices[0].finish, Finish::content_filter);
  EXPECT_EQ(finish_for("content_filtered")->choices[0].finish, Finish::content_filter);
  EXPECT_FALSE(finish_for("malformed_tool_use"));
  EXPECT_EQ(finish_for("of_tomorrow")->choices[0].finish, Finish::stop);
}

TEST(BedrockReply, AMalformedAnswerIsOneHonestError) {
  const std::string good =
      R"({"output":{"message":{"role":"assistant","content":[{"text":"a\u00e4"},{"toolUse":{"toolUseId":"t","name":"f","input":{"a":[1]}}}]}},"stopReason":"tool_use","usage":{"inputTokens":1}})";
  ASSERT_TRUE(codec().decode_reply(good, {}));
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_FALSE(codec().decode_reply(good.substr(0, cut), {})) << cut;
  for (const char* bad :
       {"[]", "{}", R"({"stopReason":"end_turn"})", R"({"output":{"message":{"content":[]}}})",
        R"({"output":{"message":{"content":{}}},"stopReason":"end_turn"})",
        R"({"output":{"message":{"content":[{"toolUse":{}}]}},"stopReason":"end_turn"})",
        R"({"output":{"message":{"content":[{"toolUse":{"name":"f","input":"{}"}}]}},"stopReason":"tool_use"})",
        R"({"message":"Internal"})", "{\"stopReason\":\"\xff\"}"}) {
    EXPECT_FALSE(codec().decode_reply(bad, {})) << bad;
  }
}

const Stream kCalls{
    {"messageStart", R"({"p":"abc","role":"assistant"})"},
    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"S"}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":0})"},
    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"text":"Hi"}})"},
    {"contentBlockStop", R"({"contentBlockIndex":1})"},
    {"contentBlockStart", R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t1","name":"f"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\":"}}})"},
    {"contentBlockStart", R"({"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t2","name":"g"}}})"},
    {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":" 1.0}"}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":2})"},
    {"contentBlockDelta", R"({"contentBlockIndex":3,"delta":{"toolUse":{"input":""}}})"},
    {"contentBlockStop", R"({"contentBlockIndex":3})"},
    {"messageStop", R"({"stopReason":"tool_use"})"},
    {"metadata",
     R"({"usage":{"inputTokens":7,"outputTokens":3,"cacheReadInputTokens":2,"totalTokens":12},"metrics":{"latencyMs":1}})"}};
const std::vector<std::string> kCallsLines{"start  ",
                                           "thinking 0 hm",
                                           "signature 0 S",
                                           "block 0",
                                           "text 0 Hi",
                                           "block 0",
                                           "call 0 0 t1 f",
                                           R"(arguments 0 0 {"a":)",
                                           "call 0 1 t2 g",
                                           "arguments 0 0  1.0}",
                                           "block 0",
                                           "arguments 0 1 {}",
                                           "block 0",
                                           "usage 7+2+0 3/0",
                                           finish(Finish::tool_calls),
                                           "done"};

TEST(BedrockStream, Semantics6And22InterleavedCallsThinkingUsage) {
  EXPECT_EQ(decoded(*codec().make_stream_decoder({}), kCalls), kCallsLines);
}

TEST(BedrockStream, FromTheBytesOfTheWireCutAnywhere) {
  std::string wire;
  for (const auto& [name, data] : kCalls) wire += fakes::converse_event(name, data);
  for (std::size_t cut = 0; cut <= wire.size(); cut += 7) {
    std::string held;
    Stream events;
    for (const auto piece : {std::string_view{wire}.substr(0, cut), std::string_view{wire}.substr(cut)}) {
      held += piece;
      while (const auto message = next_event_message(held).value()) {
        events.emplace_back(event_name(*message), message->payload);
        held.erase(0, message->raw.size());
      }
    }
    EXPECT_TRUE(held.empty());
    EXPECT_EQ(decoded(*codec().make_stream_decoder({}), events), kCallsLines) << cut;
  }
}

TEST(BedrockStream, TheForcedToolBecomesText) {
  EXPECT_THAT(decoded(*codec().make_stream_decoder({.schema_tool = "person"}),
                      {{"messageStart", "{}"},
                       {"contentBlockStart",
                        R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"person"}}})"},
                       {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":1}"}}})"},
                       {"contentBlockStop", R"({"contentBlockIndex":0})"},
                       {"messageStop", R"({"stopReason":"tool_use"})"}}),
              ElementsAre("start  ", R"(text 0 {"a":1})", "block 0", finish(Finish::stop), "done"));
}

TEST(BedrockStream, CutAfterEachEventItIsCompleteOnlyBehindItsEnd) {
  for (std::size_t count = 0; count <= kCalls.size(); ++count) {
    const auto decoder = codec().make_stream_decoder({});
    decoded(*decoder, Stream(kCalls.begin(), kCalls.begin() + static_cast<std::ptrdiff_t>(count)));
    EXPECT_EQ(decoder->complete(), count >= kCalls.size() - 1) << count;
  }
}

TEST(BedrockStream, Semantics12AnExceptionInsideTheStream) {
  const auto decoder = codec().make_stream_decoder({});
  const auto lines = decoded(*decoder, {{"messageStart", "{}"},
                                        {"throttlingException", R"({"message":"Too many tokens, please wait"})"},
                                        {"messageStop", R"({"stopReason":"end_turn"})"}});
  EXPECT_THAT(lines, ElementsAre("start  ", "error limit.rate"));
  const std::string wire = fakes::event_message({{":exception-type", "modelStreamErrorException"},
                                                 {":content-type", "application/json"},
                                                 {":message-type", "exception"}},
                                                R"({"message":"broke"})");
  EXPECT_EQ(event_name(**next_event_message(wire)), "modelStreamErrorException");
  const std::string error = fakes::event_message(
      {{":message-type", "error"}, {":error-code", "InternalFailure"}, {":error-message", "x"}}, "");
  EXPECT_THAT(decoded(*codec().make_stream_decoder({}), {{std::string{event_name(**next_event_message(error))}, ""}}),
              ElementsAre("error upstream.error"));
}

TEST(BedrockStream, OutOfOrderMalformedAndUnknownEvents) {
  const Stream start{{"messageStart", "{}"}};
  const auto ends = [&start](const Stream& more) {
    Stream stream = start;
    stream.insert(stream.end(), more.begin(), more.end());
    const auto decoder = codec().make_stream_decoder({});
    const auto lines = decoded(*decoder, stream);
    EXPECT_FALSE(decoder->complete());
    EXPECT_LE(std::ranges::count(lines, "error upstream.protocol"), 1);
    return lines.back();
  };
  EXPECT_EQ(ends({{"messageStart", "{}"}}), "error upstream.protocol");
  EXPECT_EQ(ends({{"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"x"}}})"}}),
            "error upstream.protocol");
  EXPECT_EQ(ends({{"contentBlockStart", R"({"contentBlockIndex":0,"start":{"toolUse":{}}})"}}),
            "error upstream.protocol");
  EXPECT_EQ(ends({{"messageStop", "{}"}, {"messageStop", "{}"}}), "error upstream.protocol");
  EXPECT_EQ(ends({{"messageStop", R"({"stopReason":"malformed_tool_use"})"}}), "error upstream.protocol");
  EXPECT_EQ(ends({{"contentBlockDelta", "["}}), "error upstream.protocol");
  EXPECT_EQ(ends({{"contentBlockDelta", R"({"delta":{"text":"said)"}}), "error upstream.protocol")
      << "nothing of a broken event is passed on";
  EXPECT_THAT(decoded(*codec().make_stream_decoder({}), {{"contentBlockStop", R"({"contentBlockIndex":0})"}}),
              ElementsAre("error upstream.protocol"));
  const auto decoder = codec().make_stream_decoder({});
  EXPECT_TRUE(decoded(*decoder, {{"ofTomorrow", "{}"}, {"", "nonsense"}}).empty());
  EXPECT_EQ(decoder->unknown_events(), 2U);
}

TEST(BedrockError, Classes) {
  const auto failure = [](int status, const char* body) { return codec().decode_error(status, body, "").failure; };
  EXPECT_EQ(failure(429, R"({"message":"Too many requests, please wait before trying again."})"), Failure::limit_rate);
  EXPECT_EQ(failure(503, R"({"message":"Bedrock is unable to process your request."})"), Failure::upstream_overloaded);
  EXPECT_EQ(failure(500, "{}"), Failure::upstream_error);
  EXPECT_EQ(failure(424, R"({"message":"model"})"), Failure::upstream_error);
  EXPECT_EQ(failure(400, R"({"message":"Input is too long for requested model."})"), Failure::client_context_length);
  EXPECT_EQ(failure(400, R"({"message":"The provided model identifier is invalid."})"),
            Failure::upstream_model_missing);
  EXPECT_EQ(failure(400, R"({"message":"Malformed input request"})"), Failure::client_malformed);
  EXPECT_EQ(failure(404, R"({"message":"Could not find the model"})"), Failure::upstream_model_missing);
  EXPECT_EQ(failure(400, R"({"__type":"com.amazon.coral.service#ThrottlingException","message":"slow"})"),
            Failure::limit_rate);
  EXPECT_EQ(decode_exception("ServiceUnavailableException:http://internal.amazon.com/", "").failure,
            Failure::upstream_overloaded);
  EXPECT_EQ(decode_exception("validationException", R"({"message":"bad"})").failure, Failure::client_malformed);
}

TEST(BedrockError, WrongCredentialsNameTheSettingsToMend) {
  for (const char* body :
       {R"({"message":"The security token included in the request is invalid."})",
        R"({"message":"The request signature we calculated does not match the signature you provided."})"}) {
    const Ending ending = codec().decode_error(403, body, "");
    EXPECT_EQ(ending.failure, Failure::upstream_credentials);
    EXPECT_THAT(ending.message, HasSubstr("check its access_key_id, secret_access_key, session_token and region"));
  }
  EXPECT_THAT(
      codec()
          .decode_error(403, R"({"message":"You don't have access to the model with the specified model ID."})", "")
          .message,
      HasSubstr("give it access to the model in Bedrock"));
}

}  // namespace
}  // namespace weir::bedrock
