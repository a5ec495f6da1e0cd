#include "dialects/gemini/reply_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/gemini/codec.hpp"
#include "dialects/gemini/vertex.hpp"
#include "fakes/chat_request.hpp"

namespace weir::gemini {
namespace {

using namespace vocabulary;
using fakes::decoded;
using testing::ElementsAre;
using testing::HasSubstr;
using Stream = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> lines_of(const std::vector<std::string>& data) {
  Stream stream;
  for (const auto& one : data) stream.emplace_back("", one);
  const auto decoder = codec().make_stream_decoder({});
  return decoded(*decoder, stream);
}

std::string finish(Finish reason, int choice = 0) {
  return "finish " + std::to_string(choice) + " " + std::to_string(static_cast<int>(reason));
}

TEST(GeminiReply, TextThoughtsSignatureUsage) {
  const auto reply = codec().decode_reply(
      R"({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true, "thoughtSignature": "A=="},
          {"text": "Hello \"you\"", "thoughtSignature": "B=="}], "role": "model"}, "finishReason": "STOP", "index": 0,
          "citationMetadata": {"citationSources": [{"startIndex": 1, "endIndex": 4, "uri": "https://a.example/"}]}}],
          "usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 5,
          "thoughtsTokenCount": 7, "totalTokenCount": 22}, "modelVersion": "gemini-2.5-pro", "responseId": "r1"})",
      {});
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->id, "r1");
  EXPECT_EQ(reply->model, "gemini-2.5-pro");
  const Usage& usage = reply->usage.usage;
  EXPECT_EQ(usage,
            (Usage{.uncached = 6, .cache_read = 4, .cache_write = 0, .output = 12, .reasoning = 7, .reported = true}))
      << "output is answer and thoughts";
  ASSERT_EQ(reply->choices.size(), 1U);
  const auto& parts = reply->choices[0].parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].as<ThinkingPart>()->text, "hm");
  EXPECT_EQ(parts[0].as<ThinkingPart>()->signature, "A==");
  EXPECT_EQ(parts[1].as<TextPart>()->text, "Hello \"you\"");
  EXPECT_EQ(parts[1].as<TextPart>()->citations.at(0).url, "https://a.example/");
  EXPECT_EQ(parts[2].as<ThinkingPart>()->signature, "B==") << "SEMANTICS 22: the text's own signature comes back";
  EXPECT_EQ(reply->choices[0].finish, Finish::stop);
}

TEST(GeminiReply, Semantics6And7AWholeCallAndStopBecomesToolCalls) {
  const auto reply = codec().decode_reply(
      R"({"candidates":[{"content":{"parts":[{"functionCall":{"id":"x","name":"f","args":{"n":1.10}},"thoughtSignature":"S"},
          {"functionCall":{"name":"g"}}]},"finishReason":"STOP"}]})",
      {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->choices[0].finish, Finish::tool_calls);
  const auto* call = reply->choices[0].parts[0].as<ToolCallPart>();
  EXPECT_EQ(call->arguments, R"({"n":1.10})") << "numbers as the model wrote them";
  EXPECT_EQ(call->signature, "S");
  EXPECT_TRUE(reply->choices[0].parts[1].as<ToolCallPart>()->arguments.empty());
  EXPECT_FALSE(reply->usage.usage.reported);
}

TEST(GeminiReply, SafetyEndingsAndABlockedPrompt) {
  for (const char* reason : {"SAFETY", "PROHIBITED_CONTENT", "RECITATION", "BLOCKLIST", "SPII"}) {
    const auto reply = codec().decode_reply(std::string{R"({"candidates":[{"finishReason":")"} + reason + "\"}]}", {});
    ASSERT_TRUE(reply) << reason;
    EXPECT_EQ(reply->choices[0].finish, Finish::content_filter) << reason;
  }
  const auto blocked = codec().decode_reply(
      R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9}})", {});
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->choices.at(0).finish, Finish::content_filter);
  EXPECT_EQ(blocked->usage.usage.uncached, 9);
  EXPECT_EQ(codec().decode_reply(R"({"candidates":[{"finishReason":"MAX_TOKENS"}]})", {})->choices[0].finish,
            Finish::length);
}

TEST(GeminiReply, Semantics23ChoicesByIndex) {
  const auto reply = codec().decode_reply(
      R"({"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"},
          {"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}]})",
      {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->choices[0].index, 1U);
  EXPECT_EQ(reply->choices[1].index, 0U);
}

TEST(GeminiReply, AMalformedAnswerIsOneHonestError) {
  const std::string good =
      R"({"candidates":[{"content":{"parts":[{"text":"a\u00e4"},{"functionCall":{"name":"f","args":{"a":[1]}}}]},"finishReason":"STOP","index":0}]})";
  ASSERT_TRUE(codec().decode_reply(good, {}));
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(codec().decode_reply(good.substr(0, cut), {})) << cut;
  }
  for (const char* bad :
       {"[]", "null", "{}", R"({"candidates":[]})", R"({"candidates":{}})", R"({"candidates":[{"content":[]}]})",
        R"({"candidates":[{"index":128}]})", R"({"candidates":[{"index":-1}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":[]}}]}}]})",
        R"({"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]})", R"({"error":{"code":503,"message":"x"}})",
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\xff\"}]}}]}"}) {
    EXPECT_FALSE(codec().decode_reply(bad, {})) << bad;
  }
  const auto nonsense =
      codec().decode_reply(R"({"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":-5}})", {});
  ASSERT_TRUE(nonsense);
  EXPECT_FALSE(nonsense->usage.usage.reported);
}

TEST(GeminiStream, TextThinkingCallsUsage) {
  EXPECT_THAT(
      lines_of(
          {R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-3-pro","responseId":"r"})",
           R"({"candidates":[{"content":{"parts":[{"text":"Hel"}]}}],"modelVersion":"gemini-3-pro"})",
           R"({"candidates":[{"content":{"parts":[{"text":"lo"}]}}]})",
           R"({"candidates":[{"content":{"parts":[{"functionCall":{"id":"c1","name":"f","args":{"a": 1}},"thoughtSignature":"S"},{"functionCall":{"id":"c2","name":"g"}}]}}]})",
           R"({"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"T"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":2,"candidatesTokenCount":3,"thoughtsTokenCount":4}})"}),
      ElementsAre("start r gemini-3-pro", "thinking 0 hm", "usage 9+0+0 0/0", "text 0 Hel", "text 0 lo",
                  "call 0 0 c1 f S", R"(arguments 0 0 {"a": 1})", "block 0", "call 0 1 c2 g", "arguments 0 1 {}",
                  "block 0", "signature 0 T", "usage 7+2+0 7/4", finish(Finish::tool_calls), "done"));
}

TEST(GeminiStream, Semantics7OnlyOneFinishThoughEveryEventRepeatsIt) {
  EXPECT_THAT(lines_of({R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]})",
                        R"({"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"MAX_TOKENS"}]})"}),
              ElementsAre("start  ", "text 0 a", "text 0 b", finish(Finish::length), "done"));
}

TEST(GeminiStream, ACutStreamSaysNoDone) {
  const auto decoder = codec().make_stream_decoder({});
  const auto lines = decoded(*decoder, {{"", R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}]})"}});
  EXPECT_THAT(lines, ElementsAre("start  ", "text 0 a"));
  EXPECT_FALSE(decoder->complete());
  const auto two = codec().make_stream_decoder({});
  decoded(*two, {{"", R"({"candidates":[{"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"a"}]}}]})"}});
  EXPECT_FALSE(two->complete()) << "the second choice has not ended";
}

TEST(GeminiStream, ABlockedPromptEndsAsFiltered) {
  EXPECT_THAT(lines_of({R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}})"}),
              ElementsAre("start  ", "usage 3+0+0 0/0", finish(Finish::content_filter), "done"));
}

TEST(GeminiStream, Semantics12AnErrorInsideThe200) {
  const auto decoder = codec().make_stream_decoder({});
  EXPECT_THAT(
      decoded(*decoder, {{"", R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}]})"},
                         {"", R"({"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}})"},
                         {"", R"({"candidates":[{"finishReason":"STOP"}]})"}}),
      ElementsAre("start  ", "text 0 a", "error upstream.overloaded"));
  EXPECT_FALSE(decoder->complete());
}

TEST(GeminiStream, MalformedOversizedAndForeignEventsAreOneErrorOrNone) {
  for (const char* bad :
       {"{", "[]", "nonsense", R"({"candidates":[{"index":4000000000}]})",
        R"({"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"A"}}]}}]})",
        R"({"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]})"}) {
    const auto decoder = codec().make_stream_decoder({});
    const auto lines = decoded(*decoder, {{"", bad}, {"", bad}});
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back(), "error upstream.protocol") << bad;
    EXPECT_EQ(std::ranges::count(lines, "error upstream.protocol"), 1);
  }
  const auto decoder = codec().make_stream_decoder({});
  EXPECT_TRUE(decoded(*decoder, {{"news", R"({"novelty":{"x":1}})"}, {"", ""}}).empty());
  EXPECT_EQ(decoder->unknown_events(), 1U);
}

TEST(GeminiError, Semantics8RetryInfoIsRetryAfter) {
  const auto* body =
      R"({"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}})";
  const Ending ending = codec().decode_error(429, body, "");
  EXPECT_EQ(ending.failure, Failure::limit_rate);
  EXPECT_EQ(ending.retry_after, "35");
  EXPECT_EQ(codec().decode_error(429, body, "7").retry_after, "7") << "the header wins";
}

TEST(GeminiError, Semantics10AQuotaPerDayIsNoLimitToWaitFor) {
  const auto* body =
      R"({"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"retryDelay":"12s"}]}})";
  EXPECT_EQ(codec().decode_error(429, body, "").failure, Failure::limit_quota);
}

TEST(GeminiError, Classes) {
  const auto failure = [](int status, const char* body) { return codec().decode_error(status, body, "").failure; };
  EXPECT_EQ(
      failure(
          400,
          R"({"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}})"),
      Failure::upstream_credentials);
  EXPECT_THAT(
      codec()
          .decode_error(403, R"({"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED"}})", "")
          .message,
      HasSubstr("check its api_key, or for Vertex its service_account, project and location"));
  EXPECT_EQ(
      failure(
          400,
          R"({"error":{"code":400,"message":"The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}})"),
      Failure::client_context_length);
  EXPECT_EQ(
      failure(
          404,
          R"({"error":{"code":404,"message":"models/gemini-9 is not found for API version v1beta","status":"NOT_FOUND"}})"),
      Failure::upstream_model_missing);
  EXPECT_EQ(failure(503, R"([{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}])"),
            Failure::upstream_overloaded);
  const std::string full =
      R"({"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.2s"}]}})";
  EXPECT_EQ(codec().decode_error(503, full, "").retry_after, "8");
  EXPECT_EQ(failure(500, ""), Failure::upstream_error);
  EXPECT_EQ(codec().decode_error(429, R"({"error":{"retryDelay":"999999999s"}})", "").retry_after, "");
}

TEST(Vertex, BaseUrl) {
  EXPECT_EQ(
      *vertex_base_url("shop-1", "europe-west4"),
      "https://europe-west4-aiplatform.googleapis.com/v1/projects/shop-1/locations/europe-west4/publishers/google");
  EXPECT_EQ(*vertex_base_url("example.com:shop", "global"),
            "https://aiplatform.googleapis.com/v1/projects/example.com:shop/locations/global/publishers/google");
  EXPECT_THAT(vertex_base_url("", "global").error().message, HasSubstr("project must be"));
  EXPECT_THAT(vertex_base_url("a/../b", "global").error().message, HasSubstr("project must be"));
  EXPECT_THAT(vertex_base_url("a", "evil.example/").error().message, HasSubstr("location must be"));
}

}  // namespace
}  // namespace weir::gemini
