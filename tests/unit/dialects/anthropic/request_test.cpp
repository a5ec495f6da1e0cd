#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::test::translate;

const Codec& openai() {
  return weir::openai_chat::codec();
}
const Codec& claude() {
  return weir::anthropic::codec();
}
const TargetTraits kTarget{.model = "claude-x", .max_output_tokens = 64000, .reasoning = true};

weir::test::Translated to_claude(const std::string& more, const TargetTraits& target = kTarget,
                                 const std::string& messages = R"([{"role":"user","content":"Hi"}])") {
  return translate(openai(), claude(), R"({"model":"m","messages":)" + messages + more + "}", target);
}

TEST(AnthropicRequest, TheBytesOfASmallRequest) {
  const auto out = to_claude(R"(,"stream":true,"temperature":0.70,"user":"u1","stop":["END"])");
  EXPECT_EQ(out.encoded.path, "/messages");
  EXPECT_EQ(
      out.encoded.body,
      R"({"model":"claude-x","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],)"
      R"("temperature":0.70,"stop_sequences":["END"],"metadata":{"user_id":"u1"},"stream":true})");
  EXPECT_TRUE(out.dropped.empty());
}

TEST(AnthropicRequest, Semantics20MaxTokensIsFilledInAndStaysBelowTheModelsLimit) {
  EXPECT_EQ(to_claude("").body["max_tokens"], 4096);
  TargetTraits small = kTarget;
  small.max_output_tokens = 1000;
  EXPECT_EQ(to_claude("", small).body["max_tokens"], 1000);
  EXPECT_EQ(to_claude(R"(,"max_tokens":5000)", small).body["max_tokens"], 1000);
  EXPECT_EQ(to_claude(R"(,"max_tokens":5000)", small).dropped.header_value(), "max_tokens");
  EXPECT_EQ(to_claude(R"(,"max_completion_tokens":77)").body["max_tokens"], 77);
}

TEST(AnthropicRequest, Semantics20AThinkingBudgetStaysBelowMaxTokens) {
  auto out = to_claude(R"(,"reasoning_effort":"high","max_tokens":5000)");
  EXPECT_EQ(out.body["thinking"], json::parse(R"({"type":"enabled","budget_tokens":4999})"));
  EXPECT_EQ(out.body["max_tokens"], 5000);
  out = to_claude(R"(,"reasoning_effort":"low")");
  EXPECT_EQ(out.body["thinking"]["budget_tokens"], 2048);
  EXPECT_EQ(out.body["max_tokens"], 4096 + 2048);
  out = to_claude(R"(,"reasoning_effort":"low","max_tokens":500)");  // no room for the least budget
  EXPECT_FALSE(out.body.contains("thinking"));
  EXPECT_EQ(out.dropped.header_value(), "reasoning_effort");
  out = to_claude(R"(,"reasoning_effort":"none")");
  EXPECT_FALSE(out.body.contains("thinking"));
  EXPECT_TRUE(out.dropped.empty());
}

TEST(AnthropicRequest, WhatThinkingForbidsIsDroppedAndNamed) {
  const auto out = to_claude(R"(,"reasoning_effort":"low","temperature":0.2,"top_k":5,"top_p":0.5)");
  EXPECT_FALSE(out.body.contains("temperature") || out.body.contains("top_k") || out.body.contains("top_p"));
  EXPECT_EQ(out.dropped.header_value(), "temperature, top_p, top_k");
  TargetTraits adaptive = kTarget;
  adaptive.adaptive_thinking = true;
  const auto free = to_claude(R"(,"reasoning_effort":"medium")", adaptive);
  EXPECT_EQ(free.body["thinking"]["type"], "adaptive");
  EXPECT_EQ(free.body["output_config"]["effort"], "medium");
  EXPECT_EQ(free.body["max_tokens"], 4096);
}

TEST(AnthropicRequest, Semantics21SystemAndDeveloperGoApartInOrderAndRolesAlternate) {
  const auto out = to_claude("", kTarget, R"([{"role":"system","content":"One."},{"role":"user","content":"a"},
    {"role":"user","content":"b"},{"role":"developer","content":"Two."},{"role":"assistant","content":"c"},
    {"role":"assistant","content":"d"},{"role":"user","content":""},{"role":"user","content":"e"}])");
  EXPECT_EQ(out.body["system"], json::parse(R"([{"type":"text","text":"One."},{"type":"text","text":"Two."}])"));
  json shape = json::array();
  for (const json& message : out.body["messages"]) {
    json texts = json::array();
    for (const json& block : message["content"]) texts.push_back(block["text"]);
    shape.push_back({message["role"], texts});
  }
  EXPECT_EQ(shape, json::parse(R"([["user",["a","b"]],["assistant",["c","d"]],["user",["e"]]])"));
  EXPECT_EQ(to_claude("", kTarget, R"([{"role":"system","content":"x"}])").param, "messages");
}

TEST(AnthropicRequest, ToolCallsAndTheirResultsWithPictures) {
  const auto out = to_claude("", kTarget, R"([{"role":"user","content":"a"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"call.1","type":"function","function":{"name":"f","arguments":"{\"x\": 1.50}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":""}}]},
    {"role":"tool","tool_call_id":"call.1","content":[{"type":"text","text":"r1"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
    {"role":"tool","tool_call_id":"c2","content":"r2"},{"role":"user","content":"go on"}])");
  EXPECT_EQ(out.body["messages"][1]["content"], json::parse(R"([
    {"type":"tool_use","id":"call_1","name":"f","input":{"x":1.5}},{"type":"tool_use","id":"c2","name":"g","input":{}}])"));
  EXPECT_NE(out.encoded.body.find(R"({"x": 1.50})"), std::string::npos);  // never re-encoded
  EXPECT_EQ(out.body["messages"][2]["content"], json::parse(R"([
    {"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"r1"},
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
    {"type":"tool_result","tool_use_id":"c2","content":"r2"},{"type":"text","text":"go on"}])"));
}

TEST(AnthropicRequest, ArgumentsThatAreNoObjectAreRefused) {
  for (const char* arguments : {R"([1])", R"({\"a\":)", "x"}) {
    const auto out = to_claude("", kTarget,
                               R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"1","function":
      {"name":"f","arguments":")" + std::string(arguments) +
                                   R"("}}]}])");
    EXPECT_NE(out.refused.find("not a JSON object"), std::string::npos) << arguments;
  }
}

TEST(AnthropicRequest, Semantics24ToolChoiceParallelCallsAndStrictSchemas) {
  const std::string tools =
      R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}])";
  EXPECT_FALSE(to_claude(tools).body.contains("tool_choice"));
  EXPECT_EQ(to_claude(tools).dropped.header_value(), "strict");
  EXPECT_EQ(to_claude(tools + R"(,"tool_choice":"auto")").body["tool_choice"]["type"], "auto");
  EXPECT_EQ(to_claude(tools + R"(,"tool_choice":"required")").body["tool_choice"]["type"], "any");
  EXPECT_EQ(to_claude(tools + R"(,"tool_choice":"none")").body["tool_choice"]["type"], "none");
  EXPECT_EQ(to_claude(tools + R"(,"tool_choice":{"type":"function","function":{"name":"f"}})").body["tool_choice"],
            json::parse(R"({"type":"tool","name":"f"})"));
  EXPECT_EQ(to_claude(tools + R"(,"parallel_tool_calls":false)").body["tool_choice"],
            json::parse(R"({"type":"auto","disable_parallel_tool_use":true})"));
  TargetTraits native = kTarget;
  native.native_schema = true;
  EXPECT_EQ(to_claude(tools, native).body["tools"][0]["strict"], true);
}

TEST(AnthropicRequest, AJsonSchemaByAForcedToolOrNatively) {
  const std::string format =
      R"(,"response_format":{"type":"json_schema","json_schema":{"name":"my answer","schema":{"type":"object","n":1.0}}})";
  auto out = to_claude(format);
  EXPECT_EQ(out.encoded.hints.schema_tool, "my_answer");
  EXPECT_EQ(out.body["tools"][0]["input_schema"], json::parse(R"({"type":"object","n":1.0})"));
  EXPECT_EQ(out.body["tool_choice"], json::parse(R"({"type":"tool","name":"my_answer"})"));
  out = to_claude(format + R"(,"tools":[{"type":"function","function":{"name":"my_answer"}}])");
  EXPECT_EQ(out.encoded.hints.schema_tool, "my_answer_");  // not the caller's own tool
  EXPECT_EQ(out.body["tool_choice"]["type"], "any");
  TargetTraits native = kTarget;
  native.native_schema = true;
  out = to_claude(format, native);
  EXPECT_EQ(out.encoded.hints.schema_tool, "");
  EXPECT_EQ(out.body["output_config"]["format"],
            json::parse(R"({"type":"json_schema","schema":{"type":"object","n":1.0}})"));
  EXPECT_EQ(to_claude(R"(,"response_format":{"type":"json_object"})").encoded.hints.schema_tool, "json_answer");
}

TEST(AnthropicRequest, Semantics23MoreThanOneAnswerIsAClear400) {
  const auto out = to_claude(R"(,"n":2)");
  EXPECT_EQ(out.param, "n");
  EXPECT_NE(out.refused.find("n must be 1"), std::string::npos);
  EXPECT_EQ(to_claude(R"(,"n":1)").refused, "");
}

TEST(AnthropicRequest, Semantics25WhatHasNoPlaceIsNamed) {
  const auto out = to_claude(R"(,"seed":1,"frequency_penalty":0.1,"presence_penalty":0,"logprobs":true,"top_logprobs":2,
    "service_tier":"flex","logit_bias":{"1":1},"my_field":1,"temperature":1.5,"stop":[" ","x"])");
  EXPECT_EQ(out.dropped.header_value(),
            "temperature, seed, frequency_penalty, logprobs, top_logprobs, stop, service_tier, logit_bias, my_field");
  EXPECT_EQ(out.dropped.unknown(), std::vector<std::string>{"my_field"});
  EXPECT_EQ(out.body["temperature"], 1);
  EXPECT_EQ(out.body["stop_sequences"], json::parse(R"(["x"])"));
}

TEST(AnthropicRequest, Semantics28CacheControlIsCarriedAtMostFourTimesAndNeverInjected) {
  const std::string marked = R"({"type":"text","text":"x","cache_control":{"type":"ephemeral"}})";
  const std::string five =
      R"([{"role":"user","content":[)" + marked + "," + marked + "," + marked + "," + marked + "," + marked + "]}]";
  const auto out = to_claude("", kTarget, five);
  std::size_t markers = 0;
  for (const json& block : out.body["messages"][0]["content"]) markers += block.contains("cache_control") ? 1 : 0;
  EXPECT_EQ(markers, 4U);
  EXPECT_EQ(out.dropped.header_value(), "cache_control");
  EXPECT_EQ(to_claude("").encoded.body.find("cache_control"), std::string::npos);
}

TEST(AnthropicRequest, Semantics28TheSameTurnsGiveTheSamePrefix) {
  const std::string first = R"({"role":"system","content":"S"},{"role":"user","content":"a"})";
  const std::string one = to_claude("", kTarget, "[" + first + "]").encoded.body;
  const std::string two =
      to_claude("", kTarget, "[" + first + R"(,{"role":"assistant","content":"b"},{"role":"user","content":"c"}])")
          .encoded.body;
  const std::size_t shared = one.find(R"("text":"a"}])");
  ASSERT_NE(shared, std::string::npos);
  EXPECT_EQ(one.substr(0, shared + 10), two.substr(0, shared + 10));
}

TEST(AnthropicRequest, Semantics22SignedThinkingMakesTheRoundTripThroughOpenAi) {
  const std::string assistant =
      R"({"role":"assistant","content":null,"reasoning_content":"Hm.","thinking_blocks":[{"type":"thinking","thinking":"Hm.","signature":"sig=="},
      {"type":"redacted_thinking","data":"xx"}],"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]})";
  const std::string tail = R"(,{"role":"tool","tool_call_id":"1","content":"r"}])";
  const auto out =
      to_claude(R"(,"reasoning_effort":"low")", kTarget, R"([{"role":"user","content":"a"},)" + assistant + tail);
  EXPECT_EQ(out.body["messages"][1]["content"],
            json::parse(R"([{"type":"thinking","thinking":"Hm.","signature":"sig=="},
    {"type":"redacted_thinking","data":"xx"},{"type":"tool_use","id":"1","name":"f","input":{}}])"));
  EXPECT_TRUE(out.body.contains("thinking"));

  // Without its signature Anthropic would refuse the block, and thinking after a tool's turn that lacks it.
  const auto unsigned_one = to_claude(R"(,"reasoning_effort":"low")", kTarget,
                                      R"([{"role":"user","content":"a"},{"role":"assistant","reasoning_content":"Hm.",
    "tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]})" +
                                          tail);
  EXPECT_FALSE(unsigned_one.body.contains("thinking"));
  EXPECT_EQ(unsigned_one.dropped.header_value(), "reasoning_effort, thinking");
}

TEST(AnthropicRequest, ImagesByUrlWhereTheTargetTakesThem) {
  const std::string messages =
      R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/a.png"}}]}])";
  EXPECT_EQ(to_claude("", kTarget, messages).body["messages"][0]["content"][0],
            json::parse(R"({"type":"image","source":{"type":"url","url":"https://x/a.png"}})"));
  TargetTraits without = kTarget;
  without.image_urls = false;
  EXPECT_EQ(to_claude("", without, messages).param, "messages");
}

// The other way: a client of Anthropic's dialect.

const std::string kMessages =
    R"({"model":"m","max_tokens":100,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}],
  "messages":[{"role":"user","content":"a"},
   {"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"b"},
     {"type":"tool_use","id":"t1","name":"f","input":{"x": 1.50}},{"type":"tool_use","id":"t2","name":"g","input":{}}]},
   {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"text","text":"r"},
       {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
     {"type":"tool_result","tool_use_id":"t2","content":"ok"},
     {"type":"text","text":"c"},{"type":"document","title":"d.pdf","source":{"type":"base64","media_type":"application/pdf","data":"BB=="}}]}],
  "tools":[{"name":"f","description":"d","input_schema":{"type":"object","n":1.0}},{"type":"web_search_20250305","name":"web_search"}],
  "tool_choice":{"type":"any","disable_parallel_tool_use":true},"top_k":5,"temperature":0.5,"stop_sequences":["x"],
  "metadata":{"user_id":"u"},"service_tier":"standard_only","thinking":{"type":"enabled","budget_tokens":4096},
  "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"mcp_servers":[]})";

TEST(AnthropicRequest, AClientOfThisDialectReachesChatCompletions) {
  const auto out = translate(claude(), openai(), kMessages, {.model = "gpt", .reasoning = true});
  ASSERT_EQ(out.refused, "");
  EXPECT_EQ(out.body,
            json::parse(R"({"model":"gpt","messages":[{"role":"system","content":"S"},{"role":"user","content":"a"},
   {"role":"assistant","content":"b","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"x\": 1.50}"}},
     {"id":"t2","type":"function","function":{"name":"g","arguments":"{}"}}]},
   {"role":"tool","tool_call_id":"t1","content":"r"},{"role":"tool","tool_call_id":"t2","content":"ok"},
   {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
   {"role":"user","content":[{"type":"text","text":"c"},{"type":"file","file":{"filename":"d.pdf","file_data":"data:application/pdf;base64,BB=="}}]}],
   "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","n":1.0}}}],
   "tool_choice":"required","parallel_tool_calls":false,
   "response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}},
   "reasoning_effort":"medium","max_tokens":100,"temperature":0.5,"stop":["x"],"user":"u","service_tier":"default"})"));
  EXPECT_EQ(out.dropped.header_value(), "cache_control, thinking, is_error, tools.server, top_k, mcp_servers");
}

TEST(AnthropicRequest, WhatWasReadIsWrittenAgain) {
  TargetTraits native = kTarget;
  native.native_schema = true;
  const std::string body =
      R"({"model":"claude-x","max_tokens":100,"tools":[{"name":"f","description":"d","input_schema":{"n": 1.0},"cache_control":{"type":"ephemeral"}}],)"
      R"("tool_choice":{"type":"tool","name":"f"},"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}],)"
      R"("messages":[{"role":"user","content":[{"type":"text","text":"a\u00e9"}]},)"
      R"({"role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"tool_use","id":"t1","name":"f","input":{"x": 1.50}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r","is_error":true}]}],)"
      R"("temperature":0.5,"top_k":3,"stop_sequences":["x"],"metadata":{"user_id":"u"},"service_tier":"auto"})";
  const auto out = translate(claude(), claude(), body, native);
  EXPECT_EQ(out.encoded.body, body);
  EXPECT_TRUE(out.dropped.empty());
}

TEST(AnthropicRequest, ABodyCutAnywhereIsRefused) {
  for (std::size_t size = 0; size < kMessages.size(); ++size) {
    EXPECT_FALSE(claude().decode_request(std::string_view{kMessages}.substr(0, size))) << size;
  }
  const auto refused = claude().decode_request(
      R"({"messages":[{"role":"user","content":[{"type":"image","source":{"type":"secret"}}]}]})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "messages");
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
}

TEST(AnthropicRequest, ALargeImageIsCopiedOnce) {
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,)" +
      std::string(5U << 20, 'A') + R"("}}]}]})";
  const auto request = openai().decode_request(body);
  ASSERT_TRUE(request);
  Dropped dropped;
  const auto encoded = claude().encode_request(*request, kTarget, dropped);
  ASSERT_TRUE(encoded);
  EXPECT_LT(encoded->body.capacity(), body.size() + (64U << 10)) << "the body grew: it was copied again";
}

}  // namespace
