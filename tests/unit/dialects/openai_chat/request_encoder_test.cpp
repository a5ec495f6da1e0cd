#include "dialects/openai_chat/request_encoder.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::openai_chat::codec;
using weir::test::translate;

const TargetTraits kTarget{.model = "other", .reasoning = true};

TEST(OpenAiRequestEncoder, WhatWasReadIsWrittenAgain) {
  const std::string body = R"({"model":"m","messages":[
    {"role":"developer","content":"Short."},
    {"role":"user","content":[{"type":"text","text":"a\n\u00e9"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}},
      {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,CC=="}},
      {"type":"input_audio","input_audio":{"data":"BB==","format":"wav"}}]},
    {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1.50}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"}],
    "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","x":1.0},"strict":true}}],
    "tool_choice":"required","parallel_tool_calls":true,
    "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"a":[1,2.50]},"strict":false}},
    "temperature":0.70,"top_p":0.9,"seed":7,"n":2,"stop":["x"],"logprobs":true,"top_logprobs":2,"user":"u","service_tier":"flex",
    "max_tokens":5,"reasoning_effort":"low","frequency_penalty":0.1,"presence_penalty":0.2})";
  const auto out = translate(codec(), codec(), body, kTarget);
  ASSERT_EQ(out.refused, "");
  json expected = json::parse(body);
  expected["model"] = "other";
  EXPECT_EQ(out.body, expected);
  EXPECT_NE(out.encoded.body.find("2.50"), std::string::npos);  // numbers as they are spelled
  EXPECT_TRUE(out.dropped.empty()) << out.dropped.header_value();
  EXPECT_EQ(out.encoded.path, "/chat/completions");
}

TEST(OpenAiRequestEncoder, Semantics1AStreamAlwaysAsksForItsUsage) {
  const auto out =
      translate(codec(), codec(), R"({"messages":[{"role":"user","content":"x"}],"stream":true})", kTarget);
  EXPECT_EQ(out.body["stream_options"], json::parse(R"({"include_usage":true})"));
}

TEST(OpenAiRequestEncoder, Semantics20MaxTokensByTheNameTheModelTakesAndBelowItsLimit) {
  TargetTraits target = kTarget;
  target.max_completion_tokens = true;
  target.max_output_tokens = 100;
  const std::string body = R"({"messages":[{"role":"user","content":"x"}],"max_tokens":500})";
  const auto out = translate(codec(), codec(), body, target);
  EXPECT_FALSE(out.body.contains("max_tokens"));
  EXPECT_EQ(out.body["max_completion_tokens"], 100);
  EXPECT_EQ(out.dropped.header_value(), "max_tokens");
}

TEST(OpenAiRequestEncoder, Semantics21DeveloperBecomesSystemWhereTheTargetKnowsNoOther) {
  TargetTraits target = kTarget;
  target.developer_role = false;
  const auto out = translate(codec(), codec(), R"({"messages":[{"role":"developer","content":"x"}]})", target);
  EXPECT_EQ(out.body["messages"][0]["role"], "system");
}

TEST(OpenAiRequestEncoder, WhatATargetCannotTakeIsRefused) {
  TargetTraits target = kTarget;
  target.image_urls = false;
  const std::string url =
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/a.png"}}]}]})";
  EXPECT_NE(translate(codec(), codec(), url, target).refused.find("base64"), std::string::npos);
  target.images = false;
  EXPECT_NE(translate(codec(), codec(), url, target).refused.find("no images"), std::string::npos);
  target.tools = false;
  const auto tools =
      translate(codec(), codec(), R"({"messages":[],"tools":[{"type":"function","function":{"name":"f"}}]})", target);
  EXPECT_EQ(tools.param, "tools");
}

TEST(OpenAiRequestEncoder, ALargeImageIsCopiedOnce) {
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,)" +
      std::string(5U << 20, 'A') + R"("}}]}]})";
  const auto request = codec().decode_request(body);
  ASSERT_TRUE(request);
  Dropped dropped;
  const auto encoded = codec().encode_request(*request, kTarget, dropped);
  ASSERT_TRUE(encoded);
  EXPECT_LT(encoded->body.capacity(), body.size() + (64U << 10)) << "the body grew: it was copied again";
}

}  // namespace
