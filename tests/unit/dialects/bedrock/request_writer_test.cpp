#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dialects/bedrock/codec.hpp"
#include "fakes/chat_request.hpp"

namespace weir::bedrock {
namespace {

using namespace fakes;
using namespace vocabulary;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::string_view kClaude = "anthropic.claude-sonnet-4-20250514-v1:0";

struct Written {
  EncodedRequest encoded;
  std::string body;
  std::vector<std::string> dropped;
  std::string refusal;
};

TargetTraits target_of(std::string_view model = kClaude) {
  TargetTraits target;
  target.model = model;
  target.reasoning = true;
  return target;
}

Written write(const ChatRequest& request, const TargetTraits& target = target_of()) {
  Dropped dropped;
  const auto encoded = codec().encode_request(request, target, dropped);
  if (!encoded) return {.encoded = {}, .body = {}, .dropped = {}, .refusal = encoded.error().message};
  EXPECT_TRUE(json::accept(encoded->body)) << encoded->body;
  return {.encoded = *encoded, .body = encoded->body, .dropped = dropped.known(), .refusal = {}};
}

ChatRequest asking(std::string_view text = "Hi") {
  ChatRequest request;
  request.messages = {user(text)};
  return request;
}

TEST(BedrockRequest, ThePlainCallToTheByte) {
  const Written written = write(asking());
  EXPECT_EQ(written.encoded.path, "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/converse");
  EXPECT_EQ(written.body, R"({"messages":[{"role":"user","content":[{"text":"Hi"}]}]})");
  EXPECT_THAT(written.dropped, IsEmpty());
  EXPECT_THAT(written.encoded.headers, IsEmpty());
}

TEST(BedrockRequest, AStreamAsksForTheBinaryFraming) {
  ChatRequest request = asking();
  request.stream = true;
  const Written written = write(request);
  EXPECT_EQ(written.encoded.path, "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream");
  EXPECT_THAT(written.encoded.headers, ElementsAre(testing::Pair("accept", "application/vnd.amazon.eventstream")));
}

TEST(BedrockRequest, AModelsNameCannotLeaveItsSegment) {
  EXPECT_EQ(write(asking(), target_of("arn:aws:bedrock:us-west-2:1:inference-profile/us.x")).encoded.path,
            "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A1%3Ainference-profile%2Fus.x/converse");
  EXPECT_EQ(write(asking(), target_of("..")).refusal, "No model has this name.");
}

TEST(BedrockRequest, Semantics21SystemApartAndRolesAlternate) {
  ChatRequest request;
  request.messages = {message(Role::system, {text_part("one")}),
                      user("a"),
                      message(Role::developer, {text_part("two")}),
                      user("b"),
                      message(Role::assistant, {text_part("c")}),
                      message(Role::assistant, {text_part("")}),
                      user("d")};
  request.messages[0].parts[0].cache = CacheControl{.ttl = Text::plain("1h")};
  EXPECT_EQ(
      write(request).body,
      R"({"messages":[{"role":"user","content":[{"text":"a"},{"text":"b"}]},{"role":"assistant","content":[{"text":"c"}]},)"
      R"({"role":"user","content":[{"text":"d"}]}],)"
      R"("system":[{"text":"one"},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"two"}]})");
}

TEST(BedrockRequest, Semantics24ToolsCallsAndResultsToTheByte) {
  ChatRequest request = asking("Weather?");
  request.tools = {tool("weather", R"({"type":"object"})"), tool("bare", "")};
  request.tools[0].description = Text::plain("Says it");
  request.tools[0].strict = true;
  request.tool_choice = ToolChoice::named;
  request.tool_name = Text::plain("weather");
  request.messages.push_back(
      message(Role::assistant, {thinking_part("hm", "SIG=="), text_part("Let me see"),
                                call_part("c1", "weather", R"({"n": 1.50})"), call_part("c2", "weather", "")}));
  request.messages.push_back(
      message(Role::tool, {result_part("c1", {text_part("cold"), image_part(media("image/jpeg", "AA"))})}));
  request.messages.push_back(message(Role::tool, {result_part("c2", {text_part("no city")}, true)}));
  request.messages.push_back(user("And?"));
  EXPECT_EQ(
      write(request).body,
      R"({"messages":[{"role":"user","content":[{"text":"Weather?"}]},)"
      R"({"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"SIG=="}}},{"text":"Let me see"},)"
      R"({"toolUse":{"toolUseId":"c1","name":"weather","input":{"n": 1.50}}},{"toolUse":{"toolUseId":"c2","name":"weather","input":{}}}]},)"
      R"({"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"cold"},{"image":{"format":"jpeg","source":{"bytes":"AA"}}}]}},)"
      R"({"toolResult":{"toolUseId":"c2","content":[{"text":"no city"}],"status":"error"}},{"text":"And?"}]}],)"
      R"("toolConfig":{"tools":[{"toolSpec":{"name":"weather","description":"Says it","inputSchema":{"json":{"type":"object"}},"strict":true}},)"
      R"({"toolSpec":{"name":"bare","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"weather"}}}})");
}

TEST(BedrockRequest, Semantics24EachToolChoice) {
  ChatRequest request = asking();
  request.tools = {tool("a", "{}")};
  const auto choice = [&request](ToolChoice of) {
    request.tool_choice = of;
    const auto body = json::parse(write(request).body);
    if (!body.contains("toolConfig")) return std::string{"no tools"};
    return body["toolConfig"].value("toolChoice", json{}).dump();
  };
  EXPECT_EQ(choice(ToolChoice::unset), "null");
  EXPECT_EQ(choice(ToolChoice::automatic), R"({"auto":{}})");
  EXPECT_EQ(choice(ToolChoice::required), R"({"any":{}})");
  EXPECT_EQ(choice(ToolChoice::none), "no tools");
  request.parallel_tool_calls = false;
  request.messages.push_back(message(Role::assistant, {call_part("c", "a", "{}")}));
  EXPECT_EQ(choice(ToolChoice::none), "null");
  EXPECT_THAT(write(request).dropped, UnorderedElementsAre("parallel_tool_calls", "tool_choice"));
}

TEST(BedrockRequest, CallsInTheHistoryWithoutToolsAreDeclared) {
  ChatRequest request = asking();
  request.messages.push_back(message(Role::assistant, {call_part("c", "old", "{}"), call_part("d", "old", "{}")}));
  request.messages.push_back(message(Role::tool, {result_part("c", {}), result_part("d", {text_part("")})}));
  EXPECT_THAT(
      write(request).body,
      HasSubstr(R"("toolConfig":{"tools":[{"toolSpec":{"name":"old","inputSchema":{"json":{"type":"object"}}}}]}})"));
}

TEST(BedrockRequest, JsonByAForcedToolThatTheHintsName) {
  ChatRequest request = asking();
  request.response_format.format = Format::json_schema;
  request.response_format.name = Text::plain("person");
  request.response_format.schema = R"({"type":"object","properties":{}})";
  Written written = write(request);
  EXPECT_EQ(written.encoded.hints.schema_tool, "person");
  EXPECT_THAT(
      written.body,
      HasSubstr(
          R"("toolConfig":{"tools":[{"toolSpec":{"name":"person","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"tool":{"name":"person"}}})"));
  request.tools = {tool("person", "{}")};
  written = write(request);
  EXPECT_EQ(written.encoded.hints.schema_tool, "json_answer") << "not the caller's own tool";
  EXPECT_THAT(written.body, HasSubstr(R"("toolChoice":{"any":{}})"));
  request.tools.clear();
  request.response_format = {.format = Format::json_object, .name = {}, .description = {}, .schema = {}, .strict = {}};
  EXPECT_EQ(write(request).encoded.hints.schema_tool, "json_answer");
}

TEST(BedrockRequest, JsonSchemaNativelyWhereTheTargetHasIt) {
  ChatRequest request = asking();
  request.response_format.format = Format::json_schema;
  request.response_format.schema = R"({"type":"object"})";
  TargetTraits target = target_of();
  target.native_schema = true;
  const Written written = write(request, target);
  EXPECT_EQ(written.encoded.hints.schema_tool, "");
  EXPECT_THAT(
      written.body,
      HasSubstr(
          R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}"}}}})"));
}

TEST(BedrockRequest, Semantics20And22ThinkingOfClaude) {
  ChatRequest request = asking();
  request.temperature = "0.5";
  request.reasoning.budget_tokens = 2000;
  Written written = write(request);
  EXPECT_THAT(written.body, HasSubstr(R"("inferenceConfig":{"maxTokens":6096})"));
  EXPECT_THAT(written.body,
              HasSubstr(R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}})"));
  EXPECT_THAT(written.dropped, ElementsAre("temperature"));
  request.max_output_tokens = 1500;
  written = write(request);
  EXPECT_THAT(written.body, HasSubstr(R"("budget_tokens":1499)"));
  EXPECT_THAT(written.dropped, UnorderedElementsAre("temperature", "reasoning.budget_tokens"));
  request.max_output_tokens = 500;
  written = write(request);
  EXPECT_EQ(written.body.find("thinking"), std::string::npos);
  EXPECT_THAT(written.dropped, ElementsAre("reasoning"));
  TargetTraits target = target_of();
  target.adaptive_thinking = true;
  request = asking();
  request.reasoning.effort = Reasoning::Effort::maximal;
  EXPECT_THAT(write(request, target).body,
              HasSubstr(R"({"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}})"));
  EXPECT_THAT(write(request, target_of("openai.gpt-oss-120b-1:0")).body,
              HasSubstr(R"("additionalModelRequestFields":{"reasoning_effort":"high"})"));
  EXPECT_THAT(write(request, target_of("meta.llama3-70b")).dropped, ElementsAre("reasoning"));
}

TEST(BedrockRequest, Semantics22AForeignThoughtIsNotSentAsClaudes) {
  ChatRequest request = asking();
  request.messages.push_back(
      message(Role::assistant,
              {thinking_part("hm", ""), text_part("x"), {.value = RedactedThinkingPart{.data = Text::plain("R==")}}}));
  const Written written = write(request);
  EXPECT_THAT(written.body, HasSubstr(R"("content":[{"text":"x"},{"reasoningContent":{"redactedContent":"R=="}}])"));
  EXPECT_THAT(written.dropped, ElementsAre("reasoning_content"));
}

TEST(BedrockRequest, DocumentsAndImages) {
  ChatRequest request;
  request.messages = {message(
      Role::user,
      {{.value =
            DocumentPart{
                .media = media("application/pdf", "JVBE"), .name = Text::plain("a_b/c.pdf"), .citations = true}},
       {.value = DocumentPart{.media = {.source = Media::Source::text, .media_type = {}, .data = Text::plain("plain")},
                              .name = {},
                              .citations = false}},
       image_part(url("s3://b/k.png"))})};
  EXPECT_EQ(
      write(request).body,
      R"({"messages":[{"role":"user","content":[)"
      R"x({"document":{"format":"pdf","name":"a b c pdf (1)","source":{"bytes":"JVBE"},"citations":{"enabled":true}}},)x"
      R"({"document":{"format":"txt","name":"document 2","source":{"text":"plain"}}},)"
      R"({"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k.png"}}}}]}]})");
  request.messages = {message(Role::user, {image_part(url("https://x.example/a.png"))})};
  EXPECT_THAT(write(request).refusal, HasSubstr("weir fetches nothing but images"));
  request.messages = {message(Role::user, {image_part(media("image/tiff", "AA"))})};
  EXPECT_THAT(write(request).refusal, HasSubstr("PNG, JPEG, GIF or WebP"));
}

TEST(BedrockRequest, Semantics23SeveralChoicesAreRefused) {
  ChatRequest request = asking();
  request.n = 2;
  EXPECT_THAT(write(request).refusal, HasSubstr("one answer per call"));
}

TEST(BedrockRequest, ArgumentsThatAreNoObjectCannotWriteIntoTheBody) {
  ChatRequest request = asking();
  request.messages.push_back(message(Role::assistant, {call_part("c", "f", R"({}},"x":{)")}));
  EXPECT_THAT(write(request).refusal, HasSubstr("must be a JSON object"));
}

TEST(BedrockRequest, Semantics25WhatItCannotCarryIsNamed) {
  ChatRequest request = asking();
  request.user = Text::plain("u");
  request.seed = "1";
  request.frequency_penalty = "1";
  request.presence_penalty = "1";
  request.logprobs = true;
  request.service_tier = Text::plain("scale");
  request.extras = {{.name = Text::plain("store"), .raw = "true"}};
  Dropped dropped;
  ASSERT_TRUE(codec().encode_request(request, target_of("meta.llama3"), dropped));
  EXPECT_THAT(dropped.known(), UnorderedElementsAre("user", "seed", "frequency_penalty", "presence_penalty", "logprobs",
                                                    "service_tier"));
  EXPECT_THAT(dropped.unknown(), ElementsAre("store"));
}

TEST(BedrockRequest, Semantics29ALargeImageIsCopiedOnce) {
  const std::string image(5U << 20, 'A');
  ChatRequest request;
  request.messages = {message(Role::user, {image_part(media("image/png", image))})};
  request.messages[0].parts[0].as<ImagePart>()->media.data = Text::escaped(image);
  EXPECT_LT(write(request).encoded.body.capacity(), image.size() + 4096);
}

}  // namespace
}  // namespace weir::bedrock
