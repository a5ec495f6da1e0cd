#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_responses/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::test::translate;

const Codec& chat() {
  return weir::openai_chat::codec();
}
const Codec& responses() {
  return weir::openai_responses::codec();
}

/// As a coding agent sends it.
const std::string kRequest =
    R"({"model":"m","instructions":"Be brief.","store":false,"stream":true,"parallel_tool_calls":false,
  "include":["reasoning.encrypted_content"],"prompt_cache_key":"k","reasoning":{"effort":"high","summary":"auto"},
  "input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"What?"},
      {"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"low"},
      {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BB=="}]},
    {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"sealed"},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look.","annotations":[]}]},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\": 1.50}"},
    {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"one"},
    {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"},{"type":"input_image","image_url":"https://x/a.png"}]},
    {"type":"web_search_call","id":"w","status":"completed"},
    {"role":"user","content":"Go on."}],
  "tools":[{"type":"function","name":"f","description":"d","parameters":{"n": 1.0},"strict":true},{"type":"web_search"}],
  "tool_choice":"auto","text":{"verbosity":"low","format":{"type":"json_schema","name":"s","schema":{"a": 1.0},"strict":true}},
  "max_output_tokens":50,"temperature":0.7,"top_p":0.9,"user":"u","service_tier":"auto","metadata":{}})";

TEST(ResponsesRequest, ReachesChatCompletions) {
  const auto out = translate(responses(), chat(), kRequest, {.model = "gpt", .reasoning = true});
  ASSERT_EQ(out.refused, "");
  EXPECT_EQ(out.body, json::parse(R"({"model":"gpt","messages":[{"role":"developer","content":"Be brief."},
    {"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}},
      {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,BB=="}}]},
    {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\": 1.50}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"},
    {"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/a.png"}}]},{"role":"user","content":"Go on."}],
    "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"n":1.0},"strict":true}}],
    "tool_choice":"auto","parallel_tool_calls":false,"reasoning_effort":"high","max_tokens":50,"temperature":0.7,"top_p":0.9,
    "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"a":1.0},"strict":true}},
    "user":"u","service_tier":"auto","stream":true,"stream_options":{"include_usage":true}})"));
  EXPECT_EQ(out.dropped.header_value(), "thinking, tools.server, prompt_cache_key, verbosity, input.web_search_call");
}

TEST(ResponsesRequest, WhatWasReadIsWrittenAgain) {
  const auto out = translate(responses(), responses(), kRequest, {.model = "gpt", .reasoning = true});
  ASSERT_EQ(out.refused, "");
  EXPECT_EQ(out.encoded.path, "/responses");
  json expected = json::parse(kRequest);
  json instructions{
      {"type", "message"}, {"role", "developer"}, {"content", {{{"type", "input_text"}, {"text", "Be brief."}}}}};
  expected["input"].insert(expected["input"].begin(), instructions);
  expected["input"].erase(8);  // web_search_call
  expected["input"][8] = {
      {"type", "message"}, {"role", "user"}, {"content", {{{"type", "input_text"}, {"text", "Go on."}}}}};
  expected["input"][3]["content"][0].erase("annotations");
  expected["input"][7]["output"][1]["detail"] = "auto";
  expected["model"] = "gpt";
  expected["tools"].erase(1);
  for (const char* gone : {"instructions", "prompt_cache_key", "metadata"}) expected.erase(gone);
  expected["text"].erase("verbosity");
  EXPECT_EQ(out.body, expected);
}

TEST(ResponsesRequest, WhatLeansOnStoredStateIsAClearError) {
  for (const char* field : {"previous_response_id", "conversation", "prompt"}) {
    const auto refused = responses().decode_request(R"({"input":"x",")" + std::string(field) + R"(":"resp_secret"})");
    ASSERT_FALSE(refused) << field;
    EXPECT_EQ(refused.error().param, field);
    EXPECT_NE(refused.error().message.find("whole conversation"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
    EXPECT_TRUE(responses().decode_request(R"({"input":"x",")" + std::string(field) + R"(":null})"));
  }
  EXPECT_EQ(responses().decode_request(R"({"input":"x","background":true})").error().param, "background");
  EXPECT_EQ(responses().decode_request(R"({"input":[{"type":"item_reference","id":"i"}]})").error().param, "input");
}

TEST(ResponsesRequest, AStringIsTheUsersMessage) {
  const auto out = translate(responses(), chat(), R"({"input":"Hi\n"})", {.model = "m"});
  EXPECT_EQ(out.body["messages"], json::parse(R"([{"role":"user","content":"Hi\n"}])"));
  EXPECT_TRUE(out.dropped.empty());
}

TEST(ResponsesRequest, ABodyCutAnywhereIsRefused) {
  for (std::size_t size = 0; size < kRequest.size(); ++size) {
    EXPECT_FALSE(responses().decode_request(std::string_view{kRequest}.substr(0, size))) << size;
  }
}

TEST(ResponsesRequest, WhatThisProtocolHasNoPlaceForIsNamedOrRefused) {
  const auto out = translate(chat(), responses(),
                             R"({"messages":[{"role":"user","content":"x","name":"bob"}],"stop":["x"],"seed":1,"n":1})",
                             {.model = "m"});
  EXPECT_EQ(out.dropped.header_value(), "messages.name, seed, stop");
  EXPECT_EQ(translate(chat(), responses(), R"({"messages":[],"n":2})", {.model = "m"}).param, "n");
}

}  // namespace
