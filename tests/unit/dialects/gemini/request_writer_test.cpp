#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dialects/gemini/codec.hpp"
#include "fakes/chat_request.hpp"

namespace weir::gemini {
namespace {

using namespace fakes;
using namespace vocabulary;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Written {
  std::string path;
  std::string query;
  std::string body;
  std::vector<std::string> dropped;
  std::string refusal;
};

Written write(const ChatRequest& request, std::string_view model = "gemini-2.5-pro", bool image_urls = true) {
  TargetTraits target;
  target.model = model;
  target.reasoning = true;
  target.image_urls = image_urls;
  Dropped dropped;
  const auto encoded = codec().encode_request(request, target, dropped);
  if (!encoded) return {.path = {}, .query = {}, .body = {}, .dropped = {}, .refusal = encoded.error().message};
  EXPECT_TRUE(nlohmann::json::accept(encoded->body)) << encoded->body;
  return {
      .path = encoded->path, .query = encoded->query, .body = encoded->body, .dropped = dropped.known(), .refusal = {}};
}

ChatRequest asking(std::string_view text = "Hi") {
  ChatRequest request;
  request.messages = {user(text)};
  return request;
}

TEST(GeminiRequest, ThePlainCallToTheByte) {
  const Written written = write(asking());
  EXPECT_EQ(written.path, "/models/gemini-2.5-pro:generateContent");
  EXPECT_EQ(written.query, "");
  EXPECT_EQ(written.body, R"({"contents":[{"role":"user","parts":[{"text":"Hi"}]}]})");
  EXPECT_THAT(written.dropped, IsEmpty());
}

TEST(GeminiRequest, AStreamHasItsOwnPathAndIsAskedAsEvents) {
  ChatRequest request = asking();
  request.stream = true;
  EXPECT_EQ(write(request).path, "/models/gemini-2.5-pro:streamGenerateContent");
  EXPECT_EQ(write(request).query, "alt=sse");
}

TEST(GeminiRequest, AModelsNameCannotLeaveItsSegment) {
  EXPECT_EQ(write(asking(), "../../x?key=1#").path, "/models/..%2F..%2Fx%3Fkey%3D1%23:generateContent");
  EXPECT_EQ(write(asking(), "models/gemini-3-pro").path, "/models/gemini-3-pro:generateContent");
  EXPECT_EQ(write(asking(), "tunedModels/my-one").path, "/tunedModels/my-one:generateContent");
}

TEST(GeminiRequest, Semantics21SystemAndDeveloperGoApartInTheirOrder) {
  ChatRequest request;
  request.messages = {message(Role::system, {text_part("one")}), user("Hi"),
                      message(Role::developer, {text_part("two")}), user("there")};
  EXPECT_EQ(write(request).body, R"({"systemInstruction":{"parts":[{"text":"one"},{"text":"two"}]},)"
                                 R"("contents":[{"role":"user","parts":[{"text":"Hi"},{"text":"there"}]}]})");
  request.messages = {message(Role::system, {text_part("one")})};
  EXPECT_THAT(write(request).refusal, HasSubstr("at least one message"));
}

TEST(GeminiRequest, EscapesOfTheCallerAreKept) {
  ChatRequest request;
  request.messages = {
      message(Role::user, {{.value = TextPart{.text = Text::escaped(R"(a\u00e4\n\"q\")"), .citations = {}}}})};
  EXPECT_EQ(write(request).body, R"({"contents":[{"role":"user","parts":[{"text":"a\u00e4\n\"q\""}]}]})");
}

TEST(GeminiRequest, Semantics24ToolsChoiceCallsAndResultsToTheByte) {
  ChatRequest request = asking("Weather?");
  request.tools = {tool("weather", R"({"type":"object","properties":{"city":{"type":"string"}}})")};
  request.tools[0].description = Text::plain("Says it");
  request.tool_choice = ToolChoice::required;
  request.messages.push_back(
      message(Role::assistant,
              {call_part("c1", "weather", R"({"city": "Oslo", "n": 1.50})", "sig=="), call_part("c2", "weather", "")}));
  request.messages.push_back(message(Role::tool, {result_part("c1", {text_part("cold \"now\"")})}));
  request.messages.push_back(message(Role::tool, {result_part("c2", {text_part("no city")}, true)}));
  request.messages.push_back(user("And?"));
  EXPECT_EQ(
      write(request).body,
      R"({"contents":[{"role":"user","parts":[{"text":"Weather?"}]},)"
      R"({"role":"model","parts":[{"functionCall":{"id":"c1","name":"weather","args":{"city": "Oslo", "n": 1.50}},"thoughtSignature":"sig=="},)"
      R"({"functionCall":{"id":"c2","name":"weather","args":{}}}]},)"
      R"({"role":"user","parts":[{"functionResponse":{"id":"c1","name":"weather","response":{"output":"cold \"now\""}}},)"
      R"({"functionResponse":{"id":"c2","name":"weather","response":{"error":"no city"}}}]},)"
      R"({"role":"user","parts":[{"text":"And?"}]}],)"
      R"("tools":[{"functionDeclarations":[{"name":"weather","description":"Says it","parametersJsonSchema":{"type":"object","properties":{"city":{"type":"string"}}}}]}],)"
      R"("toolConfig":{"functionCallingConfig":{"mode":"ANY"}}})");
}

TEST(GeminiRequest, Semantics24EachToolChoice) {
  ChatRequest request = asking();
  request.tools = {tool("a", "")};
  const auto mode = [&request](ToolChoice choice) {
    request.tool_choice = choice;
    request.tool_name = Text::plain("a");
    const auto body = nlohmann::json::parse(write(request).body);
    return body.contains("toolConfig") ? body["toolConfig"]["functionCallingConfig"].dump() : "";
  };
  EXPECT_EQ(mode(ToolChoice::unset), "");
  EXPECT_EQ(mode(ToolChoice::automatic), R"({"mode":"AUTO"})");
  EXPECT_EQ(mode(ToolChoice::none), R"({"mode":"NONE"})");
  EXPECT_EQ(mode(ToolChoice::named), R"({"allowedFunctionNames":["a"],"mode":"ANY"})");
  request.parallel_tool_calls = false;
  EXPECT_THAT(write(request).dropped, ElementsAre("parallel_tool_calls"));
}

TEST(GeminiRequest, ArgumentsThatAreNoObjectCannotWriteIntoTheBody) {
  for (const char* arguments : {"[]", "{}, \"x\": {}", "{", "1", "{}}"}) {
    ChatRequest request = asking();
    request.messages.push_back(message(Role::assistant, {call_part("c", "f", arguments)}));
    EXPECT_THAT(write(request).refusal, HasSubstr("must be a JSON object")) << arguments;
  }
}

TEST(GeminiRequest, AResultWithoutItsCallIsRefused) {
  ChatRequest request = asking();
  request.messages.push_back(message(Role::tool, {result_part("nobody", {text_part("x")})}));
  EXPECT_THAT(write(request).refusal, HasSubstr("not in the conversation"));
}

TEST(GeminiRequest, ImagesInlineByUrlAndRefusedWhereNoUrlIsTaken) {
  ChatRequest request;
  request.messages = {
      message(Role::user, {image_part(media("image/png", "iVBO")), image_part(url("https://x.example/a.png"))})};
  EXPECT_EQ(write(request).body,
            R"({"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"iVBO"}},)"
            R"({"fileData":{"fileUri":"https://x.example/a.png"}}]}]})");
  EXPECT_THAT(write(request, "gemini-2.5-pro", false).refusal, HasSubstr("weir fetches nothing but images"));
}

TEST(GeminiRequest, AToolResultsImageGoesInsideOnlyWhereTheModelTakesItThere) {
  ChatRequest request = asking();
  request.messages.push_back(message(Role::assistant, {call_part("c", "shot", "{}", "s")}));
  request.messages.push_back(
      message(Role::tool, {result_part("c", {text_part("here"), image_part(media("image/png", "AA"))})}));
  EXPECT_THAT(
      write(request, "gemini-3-pro").body,
      HasSubstr(R"("response":{"output":"here"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA"}}]}})"));
  EXPECT_THAT(write(request, "gemini-2.5-pro").body,
              HasSubstr(R"("response":{"output":"here"}}},{"inlineData":{"mimeType":"image/png","data":"AA"}}]})"));
}

TEST(GeminiRequest, Semantics22ThoughtsAndSignaturesComeBack) {
  ChatRequest request = asking();
  request.messages.push_back(
      message(Role::assistant, {thinking_part("hm", "A=="), text_part("yes"), thinking_part("", "B==")}));
  EXPECT_THAT(
      write(request).body,
      HasSubstr(R"({"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"A=="},{"text":"yes"},)"
                R"({"text":"","thoughtSignature":"B=="}]})"));
}

TEST(GeminiRequest, Semantics22AForeignCallInTheHistoryOfGemini3GetsTheDocumentedValue) {
  ChatRequest request = asking();
  request.messages.push_back(message(Role::assistant, {call_part("c1", "f", "{}"), call_part("c2", "f", "{}")}));
  const std::string body = write(request, "gemini-3.1-pro-preview").body;
  EXPECT_THAT(body,
              HasSubstr(R"("id":"c1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"})"));
  EXPECT_THAT(body, HasSubstr(R"({"functionCall":{"id":"c2","name":"f","args":{}}}])"));
  EXPECT_EQ(write(request, "gemini-2.5-flash").body.find("thoughtSignature"), std::string::npos);
}

TEST(GeminiRequest, SamplingInItsOwnNamesAndNumbersAsSpelled) {
  ChatRequest request = asking();
  request.temperature = "0.70";
  request.top_p = "1e-1";
  request.top_k = 40;
  request.max_output_tokens = 100;  // SEMANTICS 20
  request.n = 2;
  request.seed = "7";
  request.presence_penalty = "0.5";
  request.frequency_penalty = "-0.5";
  request.stop = {Text::plain("a"), Text::plain("\n")};
  EXPECT_THAT(
      write(request).body,
      HasSubstr(
          R"("generationConfig":{"temperature":0.70,"topP":1e-1,"topK":40,"maxOutputTokens":100,)"
          R"("candidateCount":2,"seed":7,"presencePenalty":0.5,"frequencyPenalty":-0.5,"stopSequences":["a","\n"]}})"));
  request.stop.resize(6, Text::plain("b"));
  EXPECT_THAT(write(request).dropped, ElementsAre("stop"));
  request.n = 9;
  EXPECT_THAT(write(request).refusal, HasSubstr("1 to 8 choices"));
}

TEST(GeminiRequest, ThinkingByGeneration) {
  ChatRequest request = asking();
  const auto thinking = [&request](std::string_view model) {
    const auto body = nlohmann::json::parse(write(request, model).body);
    return body.contains("generationConfig") ? body["generationConfig"].value("thinkingConfig", nlohmann::json{}).dump()
                                             : "";
  };
  request.reasoning.effort = Reasoning::Effort::medium;
  request.reasoning.show = true;
  EXPECT_EQ(thinking("gemini-2.5-pro"), R"({"includeThoughts":true,"thinkingBudget":8192})");
  EXPECT_EQ(thinking("gemini-3-pro"), R"({"includeThoughts":true,"thinkingLevel":"medium"})");
  request.reasoning = {};
  request.reasoning.effort = Reasoning::Effort::none;
  EXPECT_EQ(thinking("gemini-2.5-flash"), R"({"thinkingBudget":0})");
  EXPECT_EQ(thinking("gemini-3-flash"), R"({"thinkingLevel":"minimal"})");
  EXPECT_THAT(write(request, "gemini-3-pro").dropped, ElementsAre("reasoning.effort"));
  request.reasoning = {};
  request.reasoning.adaptive = true;
  EXPECT_EQ(thinking("gemini-2.5-pro"), R"({"thinkingBudget":-1})");
}

TEST(GeminiRequest, Semantics20AThinkingBudgetStaysBelowTheOutput) {
  ChatRequest request = asking();
  request.reasoning.budget_tokens = 5000;
  request.max_output_tokens = 4096;
  EXPECT_THAT(write(request).body, HasSubstr(R"("thinkingBudget":4095)"));
  EXPECT_THAT(write(request).dropped, ElementsAre("reasoning.budget_tokens"));
}

TEST(GeminiRequest, JsonModeAndSchema) {
  ChatRequest request = asking();
  request.response_format.format = Format::json_object;
  EXPECT_THAT(write(request).body, HasSubstr(R"("generationConfig":{"responseMimeType":"application/json"})"));
  request.response_format.format = Format::json_schema;
  request.response_format.schema =
      R"({"type":"object","properties":{"pattern":{"type":"string","pattern":"^a"},"if":{"enum":["not"]}},"allOf":[{"minLength":1}]})";
  const Written written = write(request);
  EXPECT_THAT(written.body,
              HasSubstr(R"("responseMimeType":"application/json","responseJsonSchema":{"type":"object")"));
  EXPECT_THAT(written.dropped, UnorderedElementsAre("schema.pattern", "schema.allOf", "schema.minLength"))
      << "properties that are named like keywords are none";
}

TEST(GeminiRequest, Semantics25WhatItCannotCarryIsNamed) {
  ChatRequest request = asking();
  request.user = Text::plain("u");
  request.service_tier = Text::plain("flex");
  request.logprobs = true;
  request.top_logprobs = 3;
  request.extras = {{.name = Text::plain("store"), .raw = "true"}};
  request.messages[0].name = Text::plain("Bob");
  request.messages[0].parts[0].cache.emplace();
  TargetTraits target;
  target.model = "gemini-2.5-pro";
  Dropped dropped;
  ASSERT_TRUE(codec().encode_request(request, target, dropped));
  EXPECT_THAT(dropped.known(), UnorderedElementsAre("user", "service_tier", "logprobs", "top_logprobs", "messages.name",
                                                    "cache_control"));
  EXPECT_THAT(dropped.unknown(), ElementsAre("store"));
}

TEST(GeminiRequest, Semantics29ALargeImageIsCopiedOnce) {
  const std::string image(5U << 20, 'A');
  ChatRequest request;
  request.messages = {message(Role::user, {{.value = ImagePart{.media = {.source = Media::Source::base64,
                                                                         .media_type = Text::plain("image/png"),
                                                                         .data = Text::escaped(image)},
                                                               .detail = {}}}})};
  TargetTraits target;
  target.model = "gemini-2.5-pro";
  Dropped dropped;
  const auto encoded = codec().encode_request(request, target, dropped);
  ASSERT_TRUE(encoded);
  EXPECT_LT(encoded->body.capacity(), image.size() + 4096) << "reserved once, never grown";
}

}  // namespace
}  // namespace weir::gemini
