#include "dialects/codecs/codecs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/hash.hpp>
#include "dialects/openai_chat/request_patch.hpp"
#include "dialects/openai_chat/request_reader.hpp"

namespace weir::dialects {
namespace {

using openai_chat::ChatFacts;
using testing::HasSubstr;

std::expected<ChatFacts, openai_chat::Refusal> read(Dialect dialect, std::string_view body) {
  return openai_chat::read_request(body, shape_of(dialect));
}

std::string patched(Dialect dialect, std::string_view body, std::string_view model) {
  const auto facts = read(dialect, body);
  EXPECT_TRUE(facts.has_value()) << body;
  if (!facts) return {};
  std::string after;
  openai_chat::make_patch(*facts, model, facts->stream && !facts->include_usage)
      .for_each_piece(body, [&](std::string_view piece) { after += piece; });
  return after;
}

constexpr std::string_view kAnthropic =
    R"({"model":"claude","max_tokens":1024,"system":[{"type":"text","text":"Be kind."}],"stream":true,)"
    R"("metadata":{"user_id":"user_1","task_type":"chat"},"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})";

TEST(BodyShape, AnthropicIsRead) {
  const auto facts = read(Dialect::anthropic, kAnthropic);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->model.view(), "claude");
  EXPECT_TRUE(facts->stream);
  EXPECT_TRUE(facts->include_usage);
  EXPECT_EQ(facts->max_tokens, 1024);
  EXPECT_EQ(facts->messages, 2U);
  EXPECT_EQ(facts->user_id->view(), "user_1");
  EXPECT_EQ(facts->task_type->view(), "chat");
  EXPECT_EQ(facts->system_hash, hash_bytes(R"([{"type":"text","text":"Be kind."}])"));
  EXPECT_EQ(facts->prompt_hash, hash_bytes(R"({"role":"user","content":"a"},{"role":"assistant","content":"b"})"));
}

TEST(BodyShape, OnlyModelAndTaskChangeInAnthropics) {
  std::string wanted(kAnthropic);
  wanted.replace(wanted.find("claude"), 6, "other");
  const std::string task = R"(,"task_type":"chat")";
  wanted.erase(wanted.find(task), task.size());
  EXPECT_EQ(patched(Dialect::anthropic, kAnthropic, "other"), wanted);
  const auto body = [](std::string_view metadata) {
    return R"({"model":"m","metadata":)" + std::string(metadata) + R"(,"messages":[]})";
  };
  const auto after = [&](std::string_view metadata) { return patched(Dialect::anthropic, body(metadata), "m"); };
  EXPECT_EQ(after(R"({"task_type":"t","user_id":"u"})"), body(R"({"user_id":"u"})"));
  EXPECT_EQ(after(R"({"task_type":"t","x":1,"user_id":"u"})"), body(R"({"x":1,"user_id":"u"})"));
  EXPECT_EQ(after(R"({"task_type":"t"})"), R"({"model":"m","messages":[]})");
  for (const std::string_view kept : {R"({"user_id":"u"})", R"({"user_id":null})", "{}", "null", R"({"x":{}})"}) {
    EXPECT_EQ(after(kept), body(kept));
  }
}

TEST(BodyShape, ResponsesKeepTheirMetadataWithoutOurs) {
  const std::string_view body =
      R"({"model":"gpt","input":"Hi","instructions":"Be kind.","stream":true,"max_output_tokens":9,"user":"u",)"
      R"("previous_response_id":"resp_1","metadata":{"a":"b","task_type":"t","user_id":"v"}})";
  const auto facts = read(Dialect::openai_responses, body);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->messages, 1U);
  EXPECT_EQ(facts->max_tokens, 9);
  EXPECT_EQ(facts->system_hash, hash_bytes(R"("Be kind.")"));
  EXPECT_EQ(facts->prompt_hash, hash_bytes(R"("Hi")"));
  EXPECT_EQ(facts->user->view(), "u");
  EXPECT_EQ(facts->user_id->view(), "v");
  std::string wanted(body);
  const std::string ours = R"(,"task_type":"t","user_id":"v")";
  wanted.erase(wanted.find(ours), ours.size());
  EXPECT_EQ(patched(Dialect::openai_responses, body, "gpt"), wanted);
  EXPECT_EQ(patched(Dialect::openai_responses, R"({"model":"m","metadata":{"task_type":"t"}})", "m"),
            R"({"model":"m"})");
  const auto listed = read(Dialect::openai_responses, R"({"model":"m","input":[{"role":"user","content":"x"},{}]})");
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(listed->messages, 2U);
}

TEST(BodyShape, CompletionsAskForTheirUsage) {
  const std::string_view body = R"({"model":"m","prompt":["a","b"],"stream":true,"max_tokens":3,"n":2})";
  const auto facts = read(Dialect::openai_completions, body);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->messages, 2U);
  EXPECT_EQ(facts->max_tokens, 3);
  EXPECT_EQ(facts->n, 2);
  EXPECT_EQ(
      patched(Dialect::openai_completions, body, "m"),
      R"({"model":"m","prompt":["a","b"],"stream":true,"max_tokens":3,"n":2,"stream_options":{"include_usage":true}})");
}

struct Bad {
  Dialect dialect;
  std::string body;
  std::string param;
};

TEST(BodyShape, WhatWeActOnStandsOnceAndPlainly) {
  const std::vector<Bad> bodies{
      {Dialect::anthropic, R"({"model":"a","model":"b","messages":[]})", "model"},
      {Dialect::anthropic, R"({"Model":"a","model":"b","messages":[]})", "model"},
      {Dialect::anthropic, R"({"model":"a","\u0073tream":true,"messages":[]})", "stream"},
      {Dialect::anthropic, R"({"model":"a","MAX_TOKENS":1,"messages":[]})", "max_tokens"},
      {Dialect::anthropic, R"({"model":"a","messages":[],"metadata":{"user_id":"a","user_id":"b"}})",
       "metadata.user_id"},
      {Dialect::anthropic, R"({"model":"a","messages":[],"metadata":{"Task_type":"a"}})", "metadata.task_type"},
      {Dialect::anthropic, R"({"model":"a","messages":[],"metadata":{"task_type":1}})", "metadata.task_type"},
      {Dialect::anthropic, R"({"model":"a","messages":"x"})", "messages"},
      {Dialect::anthropic, R"({"model":"a"})", "messages"},
      {Dialect::anthropic, R"({"messages":[]})", "model"},
      {Dialect::openai_responses, R"({"model":"a","stream":true,"stream":false})", "stream"},
      {Dialect::openai_responses, R"({"model":"a","max_output_tokens":"x"})", "max_output_tokens"},
      {Dialect::openai_responses, R"({"input":"x"})", "model"},
      {Dialect::openai_completions, R"({"model":"a","stream_options":{"include_usage":1}})",
       "stream_options.include_usage"},
  };
  for (const Bad& bad : bodies) {
    const auto facts = read(bad.dialect, bad.body);
    ASSERT_FALSE(facts.has_value()) << bad.body;
    EXPECT_EQ(facts.error().param, bad.param) << bad.body;
    EXPECT_EQ(facts.error().failure, Failure::client_malformed);
  }
  // Not acted on in this dialect: the provider's own business.
  for (const std::string_view fine : {R"({"model":"a","messages":[],"n":"x","store":1,"user":2,"stream_options":3})",
                                      R"({"model":"a","messages":[],"system":"x","System":"y"})"}) {
    EXPECT_TRUE(read(Dialect::anthropic, fine).has_value()) << fine;
  }
}

TEST(BodyShape, WhatTheModelMustBeAbleToDo) {
  struct Case {
    Dialect dialect;
    std::string_view member;
    bool tools = false;
    bool schema = false;
  };
  for (const Case& one : std::initializer_list<Case>{
           {Dialect::openai_chat, R"("tools":[{"type":"function","function":{"name":"f"}}])", true},
           {Dialect::openai_chat, R"("tools":[])"},
           {Dialect::openai_chat, R"("tools":null)"},
           {Dialect::openai_chat, R"("response_format":{"type":"json_object"})"},
           {Dialect::openai_chat, R"("response_format":{"json_schema":{"name":"x"},"type":"json_schema"})", false,
            true},
           {Dialect::openai_chat, R"("x":{"tools":[{"type":"function"}],"response_format":{"type":"json_schema"}})"},
           {Dialect::openai_responses, R"("tools":[{"type":"web_search"}])"},
           {Dialect::openai_responses, R"("tools":[{"type":"web_search"},{"type":"function","name":"f"}])", true},
           {Dialect::openai_responses, R"("text":{"format":{"type":"json_schema","name":"x"}})", false, true},
           {Dialect::openai_responses, R"("text":{"verbosity":"low"})"},
           {Dialect::anthropic, R"("tools":[{"name":"f","input_schema":{"type":"object"}}])", true},
           {Dialect::anthropic, R"("tools":[{"type":"web_search_20250305","name":"web_search"}])"},
           {Dialect::anthropic, R"("output_config":{"effort":"low","format":{"type":"json_schema"}})", false, true},
           {Dialect::anthropic, R"("output_format":{"type":"json_schema"})", false, true},
           {Dialect::openai_chat, R"("Tools":[{"type":"function"}],"tools":7,"response_format":"json_schema")"}}) {
    const auto facts = read(one.dialect, R"({"model":"m","messages":[],)" + std::string(one.member) + "}");
    ASSERT_TRUE(facts.has_value()) << one.member;
    EXPECT_EQ(facts->tools, one.tools) << one.member;
    EXPECT_EQ(facts->schema, one.schema) << one.member;
  }
}

TEST(BodyShape, ACutBodyIsNeverRead) {
  for (std::size_t cut = 0; cut < kAnthropic.size(); ++cut) {
    const auto facts = read(Dialect::anthropic, kAnthropic.substr(0, cut));
    ASSERT_FALSE(facts.has_value()) << cut;
    EXPECT_EQ(facts.error().code, "invalid_json") << cut;
  }
}

TEST(BodyShape, ErrorsInTheShapeOfEach) {
  Ending ending;
  ending.failure = Failure::client_malformed;
  ending.message = "No \"x\".";
  ending.param = "x";
  const std::string anthropic = codec_of(Dialect::anthropic).encode_error(ending, 400, "req");
  EXPECT_EQ(anthropic,
            R"({"type":"error","error":{"type":"invalid_request_error","message":"No \"x\"."},"request_id":"req"})");
  EXPECT_TRUE(reads_error(Dialect::anthropic, anthropic));
  for (const Dialect dialect : {Dialect::openai_chat, Dialect::openai_responses, Dialect::openai_completions}) {
    const std::string openai = codec_of(dialect).encode_error(ending, 400, "req");
    EXPECT_THAT(openai, HasSubstr(R"("param":"x")"));
    EXPECT_TRUE(reads_error(dialect, openai));
    EXPECT_FALSE(reads_error(Dialect::anthropic, openai));
    EXPECT_FALSE(reads_error(dialect, anthropic));
  }
}

}  // namespace
}  // namespace weir::dialects
