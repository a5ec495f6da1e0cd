#include "dialects/openai_chat/request_decoder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace weir::vocabulary;
using weir::openai_chat::decode_request;

const std::string kFull = R"({
  "model": "gpt-x", "stream": true, "stream_options": {"include_usage": true}, "temperature": 0.70, "top_p": 1e-1,
  "max_tokens": 10, "max_completion_tokens": 20, "n": 2, "seed": 12345678901, "stop": ["\n\n", "END"],
  "frequency_penalty": 0.5, "presence_penalty": -0.5, "logprobs": true, "top_logprobs": 3, "user": "u-1",
  "service_tier": "flex", "reasoning_effort": "high", "parallel_tool_calls": false,
  "logit_bias": {"50256": -100}, "my_field": [1, 2], "metadata": {"a": "b"}, "modalities": ["text"],
  "tools": [{"type": "function", "function": {"name": "get_weather", "description": "Weather.",
    "parameters": {"type": "object", "properties": {"n": {"const": 1.0e2}}}, "strict": true}}],
  "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
  "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}},
  "messages": [
    {"role": "system", "content": "Be short."},
    {"role": "developer", "content": [{"type": "text", "text": "In JSON.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
    {"content": [{"text": "What is this?", "type": "text"},
      {"type": "image_url", "image_url": {"detail": "low", "url": "data:image/png;base64,AAAA"}},
      {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
      {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "wav"}},
      {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,CCCC"}}], "role": "user"},
    {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": [
      {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"n\":1.50}"}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
  ]
})";

TEST(OpenAiRequestDecoder, ReadsEachFieldTheVocabularyHas) {
  const auto read = decode_request(kFull);
  ASSERT_TRUE(read) << read.error().message;
  const ChatRequest& request = *read;
  EXPECT_TRUE(request.model == "gpt-x");
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.temperature, "0.70");  // as spelled
  EXPECT_EQ(request.top_p, "1e-1");
  EXPECT_EQ(request.max_output_tokens, 20);
  EXPECT_EQ(request.n, 2);
  EXPECT_EQ(request.seed, "12345678901");
  ASSERT_EQ(request.stop.size(), 2U);
  EXPECT_TRUE(request.stop[0] == "\n\n");
  EXPECT_EQ(request.logprobs, true);
  EXPECT_EQ(request.top_logprobs, 3);
  EXPECT_EQ(request.reasoning.effort, Reasoning::Effort::high);
  EXPECT_EQ(request.parallel_tool_calls, false);
  ASSERT_EQ(request.tools.size(), 1U);
  EXPECT_EQ(request.tools[0].schema, R"({"type": "object", "properties": {"n": {"const": 1.0e2}}})");
  EXPECT_EQ(request.tools[0].strict, true);
  EXPECT_EQ(request.tool_choice, ToolChoice::named);
  EXPECT_EQ(request.response_format.format, Format::json_schema);
  EXPECT_EQ(request.response_format.schema, R"({"type": "object"})");

  ASSERT_EQ(request.messages.size(), 5U);
  EXPECT_EQ(request.messages[1].role, Role::developer);
  ASSERT_TRUE(request.messages[1].parts[0].cache);
  EXPECT_TRUE(request.messages[1].parts[0].cache->ttl == "1h");
  const auto& user = request.messages[2].parts;
  ASSERT_EQ(user.size(), 5U);
  EXPECT_TRUE(user[1].as<ImagePart>()->media.media_type == "image/png");
  EXPECT_TRUE(user[1].as<ImagePart>()->media.data == "AAAA");
  EXPECT_EQ(user[2].as<ImagePart>()->media.source, Media::Source::url);
  EXPECT_TRUE(user[3].as<AudioPart>()->media.media_type == "audio/wav");
  EXPECT_TRUE(user[4].as<DocumentPart>()->name == "a.pdf");
  const auto& assistant = request.messages[3].parts;
  ASSERT_EQ(assistant.size(), 2U);
  EXPECT_TRUE(assistant[0].as<ThinkingPart>()->text == "Hm.");
  EXPECT_EQ(assistant[1].as<ToolCallPart>()->arguments.str(), R"({"n":1.50})");
  EXPECT_TRUE(request.messages[4].parts[0].as<ToolResultPart>()->call_id == "call_1");
  EXPECT_TRUE(tool_name_of(request, Text::plain("call_1")) == "get_weather");
}

TEST(OpenAiRequestDecoder, Semantics25ExtrasAreKeptByNameAndDefaultsAreNone) {
  const auto read = decode_request(kFull);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->extras.size(), 2U);  // neither metadata without store nor modalities that say text
  EXPECT_TRUE(read->extras[0].name == "logit_bias");
  EXPECT_TRUE(read->extras[0].known);
  EXPECT_TRUE(read->extras[1].name == "my_field");
  EXPECT_FALSE(read->extras[1].known);
}

TEST(OpenAiRequestDecoder, ABodyCutAnywhereIsRefused) {
  for (std::size_t size = 0; size < kFull.size(); ++size) {
    EXPECT_FALSE(decode_request(std::string_view{kFull}.substr(0, size))) << size;
  }
}

TEST(OpenAiRequestDecoder, ARefusalNamesTheFieldAndNothingOfThePrompt) {
  const struct {
    std::string body;
    std::string param;
  } cases[] = {
      {R"({"messages": "secret"})", "messages"},
      {R"({"messages": [{"role": "wizard", "content": "secret"}]})", "messages"},
      {R"({"messages": [{"role": "user", "content": [{"type": "video", "url": "secret"}]}]})", "messages"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:secret"}}]}]})",
       "messages"},
      {R"({"messages": [{"role": "tool", "content": "secret"}]})", "messages"},
      {R"({"max_tokens": "secret"})", "max_tokens"},
      {R"({"n": 1.5})", "n"},
      {R"({"tools": [{"type": "function", "function": {}}]})", "tools"},
      {R"({"tool_choice": "secret"})", "tool_choice"},
      {R"({"response_format": {"type": "json_schema"}})", "response_format"},
      {R"({"reasoning_effort": "secret"})", "reasoning_effort"},
      {R"({"temperature": "secret"})", "temperature"},
  };
  for (const auto& one : cases) {
    const auto read = decode_request(one.body);
    ASSERT_FALSE(read) << one.body;
    EXPECT_EQ(read.error().param, one.param) << one.body;
    EXPECT_EQ(read.error().message.find("secret"), std::string::npos) << read.error().message;
  }
  EXPECT_FALSE(decode_request("{\"model\": \"\xFF\"}"));
  EXPECT_FALSE(decode_request("[]"));
  EXPECT_FALSE(decode_request("{} {}"));
}

TEST(OpenAiRequestDecoder, ALargeImageIsAViewIntoTheBody) {
  const std::string image(5U << 20, 'A');
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,)" +
      image + R"("}}]}]})";
  const auto read = decode_request(body);
  ASSERT_TRUE(read);
  const auto& data = read->messages[0].parts[0].as<ImagePart>()->media.data;
  EXPECT_EQ(data.bytes().data(), body.data() + body.find(image));
  EXPECT_EQ(data.size(), image.size());
}

}  // namespace
