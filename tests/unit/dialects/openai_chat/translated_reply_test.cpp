#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::openai_chat::codec;
using weir::test::reply_in;

const std::string kReply = R"({"id":"chatcmpl-1","object":"chat.completion","created":1741569952,"model":"gpt-x-2025",
  "choices":[{"index":0,"message":{"role":"assistant","content":"Hello\n\u00e9","refusal":null,
    "annotations":[{"type":"url_citation","url_citation":{"url":"https://a/","title":"A","start_index":1,"end_index":5}}],
    "tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.0}"}}]},
    "logprobs":{"content":[{"token":"H","logprob":-0.10,"bytes":[72],"top_logprobs":[]}],"refusal":null},"finish_reason":"tool_calls"},
   {"index":1,"message":{"role":"assistant","content":null,"refusal":"No."},"logprobs":null,"finish_reason":"stop"}],
  "usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,
    "prompt_tokens_details":{"cached_tokens":4,"audio_tokens":2},
    "completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0,"accepted_prediction_tokens":1,"rejected_prediction_tokens":2}},
  "service_tier":"default","system_fingerprint":"fp_1"})";

TEST(OpenAiReply, Semantics23ChoicesRefusalsAndLogprobsSurvive) {
  EXPECT_EQ(reply_in(codec(), codec(), kReply), json::parse(kReply));
}

TEST(OpenAiReply, Semantics3UsageInAllItsKinds) {
  const auto reply = codec().decode_reply(kReply, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage.usage.uncached, 15);
  EXPECT_EQ(reply->usage.usage.cache_read, 4);
  EXPECT_EQ(reply->usage.usage.output, 10);
  EXPECT_EQ(reply->usage.usage.reasoning, 3);
  EXPECT_EQ(reply->usage.details.rejected_prediction, 2);
  EXPECT_EQ(reply->usage.details.audio_input, 2);
}

TEST(OpenAiReply, Semantics22ReasoningContentSurvives) {
  const auto reply = reply_in(codec(), codec(), R"({"choices":[{"index":0,"message":{"content":"4",
    "reasoning_content":"2+2"},"finish_reason":"stop"}]})");
  EXPECT_EQ(reply["choices"][0]["message"]["reasoning_content"], "2+2");
  EXPECT_EQ(reply["id"], "call-1");  // of the call where the provider named none
  EXPECT_EQ(reply["model"], "asked-model");
}

TEST(OpenAiReply, MistralsReasoningIsAListOfParts) {
  const auto reply = reply_in(codec(), codec(), R"({"choices":[{"index":0,"message":{"role":"assistant","content":[
    {"type":"thinking","thinking":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"type":"text","text":"4"}]},
    "finish_reason":"stop"}]})");
  EXPECT_EQ(reply["choices"][0]["message"]["reasoning_content"], "ab");
  EXPECT_EQ(reply["choices"][0]["message"]["content"], "4");
}

TEST(OpenAiReply, AnErrorInsideA200IsSaid) {
  const auto reply = codec().decode_reply(R"({"error":{"message":"boom","type":"server_error"}})", {});
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->error);
}

TEST(OpenAiReply, AnAnswerCutAnywhereIsAnHonestError) {
  for (std::size_t size = 0; size < kReply.size(); ++size) {
    EXPECT_FALSE(codec().decode_reply(kReply.substr(0, size), {})) << size;
  }
  EXPECT_FALSE(codec().decode_reply("<html>busy</html>", {}));
  EXPECT_FALSE(codec().decode_reply(R"({"choices":[]})", {}));
  EXPECT_FALSE(codec().decode_reply(R"({"choices":[{"message":"x"}]})", {}));
}

}  // namespace
