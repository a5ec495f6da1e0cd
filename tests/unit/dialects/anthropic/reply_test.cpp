#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::test::reply_in;

const Codec& openai() {
  return weir::openai_chat::codec();
}
const Codec& claude() {
  return weir::anthropic::codec();
}

const std::string kMessage = R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x",
  "content":[{"type":"thinking","thinking":"Hm.","signature":"sig=="},{"type":"redacted_thinking","data":"zz"},
    {"type":"text","text":"Hello\n"},{"type":"server_tool_use","id":"s","name":"web_search","input":{}},
    {"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"https://a/"}]},
    {"type":"text","text":"you","citations":[{"type":"web_search_result_location","url":"https://a/","title":"A","cited_text":"q","encrypted_index":"e"}]},
    {"type":"tool_use","id":"toolu_1","name":"f","input":{"x": 1.50}}],
  "stop_reason":"tool_use","stop_sequence":null,
  "usage":{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"output_tokens":7,
    "cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5},"service_tier":"standard"}})";

TEST(AnthropicReply, ComesAsAChatCompletion) {
  const json reply = reply_in(claude(), openai(), kMessage);
  const json& message = reply["choices"][0]["message"];
  EXPECT_EQ(reply["id"], "msg_1");
  EXPECT_EQ(reply["created"], 1700000000);
  EXPECT_EQ(message["content"], "Hello\nyou");
  EXPECT_EQ(message["reasoning_content"], "Hm.");
  EXPECT_EQ(message["thinking_blocks"], json::parse(R"([{"type":"thinking","thinking":"Hm.","signature":"sig=="},
    {"type":"redacted_thinking","data":"zz"}])"));
  EXPECT_EQ(message["annotations"][0]["url_citation"]["url"], "https://a/");
  EXPECT_EQ(message["tool_calls"], json::parse(R"([{"id":"toolu_1","type":"function",
    "function":{"name":"f","arguments":"{\"x\": 1.50}"}}])"));
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "tool_calls");
}

TEST(AnthropicReply, Semantics4ThePromptIsInputAndBothCacheCounters) {
  const json usage = reply_in(claude(), openai(), kMessage)["usage"];
  EXPECT_EQ(usage["prompt_tokens"], 60);
  EXPECT_EQ(usage["prompt_tokens_details"]["cached_tokens"], 30);
  EXPECT_EQ(usage["prompt_tokens_details"]["cache_write_tokens"], 20);
  EXPECT_EQ(usage["completion_tokens"], 7);
}

TEST(AnthropicReply, Semantics5WhatIsWrittenForAnHourIsToldApart) {
  const auto reply = claude().decode_reply(kMessage, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->usage.usage.cache_write, 20);
  EXPECT_EQ(reply->usage.details.cache_write_1h, 5);
}

TEST(AnthropicReply, Semantics7StopReasons) {
  const struct {
    const char* stop_reason;
    const char* finish_reason;
  } rows[] = {{"end_turn", "stop"},          {"max_tokens", "length"},
              {"tool_use", "tool_calls"},    {"stop_sequence", "stop"},
              {"refusal", "content_filter"}, {"pause_turn", "stop"},
              {"something_new", "stop"},     {"model_context_window_exceeded", "length"}};
  for (const auto& row : rows) {
    const std::string body =
        R"({"type":"message","content":[],"stop_reason":")" + std::string(row.stop_reason) + R"("})";
    EXPECT_EQ(reply_in(claude(), openai(), body)["choices"][0]["finish_reason"], row.finish_reason) << row.stop_reason;
  }
  for (const char* same : {"end_turn", "max_tokens", "tool_use", "stop_sequence", "refusal", "pause_turn"}) {
    const std::string body = R"({"type":"message","content":[],"stop_reason":")" + std::string(same) + R"("})";
    EXPECT_EQ(reply_in(claude(), claude(), body)["stop_reason"], same);
  }
}

TEST(AnthropicReply, AChatCompletionComesAsAMessage) {
  const json reply = reply_in(openai(), claude(), R"({"id":"chatcmpl-1","model":"gpt","choices":[{"index":0,"message":{
    "role":"assistant","content":"Hi","reasoning_content":"Hm.","tool_calls":[
      {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"x\":1.50}"}},
      {"id":"call_2","type":"function","function":{"name":"g","arguments":""}},
      {"id":"call_3","type":"function","function":{"name":"h","arguments":"{\"cut"}}]},"finish_reason":"tool_calls"}],
    "usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}})");
  EXPECT_EQ(reply, json::parse(R"({"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt","content":[
    {"type":"thinking","thinking":"Hm.","signature":""},{"type":"text","text":"Hi"},
    {"type":"tool_use","id":"call_1","name":"f","input":{"x":1.5}},{"type":"tool_use","id":"call_2","name":"g","input":{}},
    {"type":"tool_use","id":"call_3","name":"h","input":{"invalid_json":"{\"cut"}}],
    "stop_reason":"tool_use","stop_sequence":null,
    "usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5}})"));
}

TEST(AnthropicReply, ARefusalComesAsTextAndItsReason) {
  const json reply =
      reply_in(openai(), claude(), R"({"choices":[{"index":0,"message":{"role":"assistant","content":null,
    "refusal":"No."},"finish_reason":"content_filter"}]})");
  EXPECT_EQ(reply["content"], json::parse(R"([{"type":"text","text":"No."}])"));
  EXPECT_EQ(reply["stop_reason"], "refusal");
}

TEST(AnthropicReply, TheForcedToolsArgumentsAreTheAnswersText) {
  const std::string body =
      R"({"type":"message","content":[{"type":"tool_use","id":"t","name":"my_answer","input":{"a": 1.0}}],
    "stop_reason":"tool_use"})";
  const json reply = reply_in(claude(), openai(), body, {.schema_tool = "my_answer"});
  EXPECT_EQ(reply["choices"][0]["message"]["content"], R"({"a": 1.0})");
  EXPECT_FALSE(reply["choices"][0]["message"].contains("tool_calls"));
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "stop");
}

TEST(AnthropicReply, Semantics11ErrorsInThisDialectsShape) {
  weir::Ending ending;
  ending.failure = weir::Failure::limit_rate;
  ending.message = "Too \"many\"";
  EXPECT_EQ(claude().encode_error(ending, 429, "req-1"),
            R"({"type":"error","error":{"type":"rate_limit_error","message":"Too \"many\""},"request_id":"req-1"})");
  const struct {
    int status;
    const char* type;
  } rows[] = {{400, "invalid_request_error"},
              {401, "authentication_error"},
              {402, "billing_error"},
              {403, "permission_error"},
              {404, "not_found_error"},
              {413, "request_too_large"},
              {422, "invalid_request_error"},
              {429, "rate_limit_error"},
              {500, "api_error"},
              {502, "api_error"},
              {503, "overloaded_error"},
              {504, "timeout_error"},
              {529, "overloaded_error"}};
  for (const auto& row : rows) {
    EXPECT_EQ(json::parse(claude().encode_error(ending, row.status, ""))["error"]["type"], row.type) << row.status;
  }
}

TEST(AnthropicReply, Semantics10AProvidersErrorIsClassed) {
  const auto error = [](int status, const std::string& type, const std::string& message) {
    return claude().decode_error(
        status, R"({"type":"error","error":{"type":")" + type + R"(","message":")" + message + R"("}})", "");
  };
  EXPECT_EQ(error(529, "overloaded_error", "Overloaded").failure, weir::Failure::upstream_overloaded);
  EXPECT_EQ(error(429, "rate_limit_error", "slow").failure, weir::Failure::limit_rate);
  EXPECT_EQ(error(401, "authentication_error", "invalid x-api-key").failure, weir::Failure::upstream_credentials);
  EXPECT_EQ(error(400, "invalid_request_error", "prompt is too long: 9 tokens").failure,
            weir::Failure::client_context_length);
  EXPECT_EQ(error(400, "invalid_request_error", "Your credit balance is too low").failure, weir::Failure::limit_quota);
  EXPECT_EQ(error(404, "not_found_error", "model: claude-none").failure, weir::Failure::upstream_model_missing);
  const auto reply = claude().decode_reply(R"({"type":"error","error":{"type":"api_error","message":"x"}})", {});
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->error);
}

TEST(AnthropicReply, AnAnswerCutAnywhereIsAnHonestError) {
  for (std::size_t size = 0; size < kMessage.size(); ++size) {
    EXPECT_FALSE(claude().decode_reply(kMessage.substr(0, size), {})) << size;
  }
  EXPECT_FALSE(claude().decode_reply(R"({"id":"x"})", {}));
  EXPECT_FALSE(claude().decode_reply(R"({"content":[{"type":"tool_use","name":"f","input":[1]}]})", {}));
}

}  // namespace
