#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::openai_chat::codec;
using weir::test::data_of;
using weir::test::json_of;
using weir::test::kContext;
using weir::test::transcode;
using weir::test::WireEvent;

WireEvent chunk(const std::string& choices, const std::string& more = "") {
  return {"", R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000001,"model":"gpt-x","choices":)" +
                  choices + more + "}"};
}
WireEvent delta(const std::string& inside) {
  return chunk(R"([{"index":0,"delta":{)" + inside + R"(},"finish_reason":null}])");
}
WireEvent finish(const std::string& reason) {
  return chunk(R"([{"index":0,"delta":{},"finish_reason":")" + reason + R"("}])");
}
const WireEvent kUsage = chunk("[]", R"(,"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})");
const WireEvent kDone{"", "[DONE]"};

std::vector<StreamEvent> decode(const std::vector<WireEvent>& events, std::uint64_t* unknown = nullptr) {
  static std::vector<WireEvent> kept;  // texts are views
  kept = events;
  const auto decoder = codec().make_stream_decoder({});
  std::vector<StreamEvent> read;
  for (const auto& [name, data] : kept) decoder->feed(name, data, read);
  decoder->end(read);
  if (unknown != nullptr) *unknown = decoder->unknown_events();
  return read;
}

TEST(OpenAiStream, TheBytesOfATextStream) {
  const std::string out = transcode(
      codec(), codec(),
      {delta(R"("role":"assistant","content":"")"), delta(R"("content":"H\u00e9")"), finish("stop"), kUsage, kDone});
  const std::string head =
      R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000001,"model":"gpt-x","choices":)";
  EXPECT_EQ(
      out,
      head +
          R"([{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null})"
          "\n\n" +
          head +
          R"([{"index":0,"delta":{"content":"H\u00e9"},"logprobs":null,"finish_reason":null}],"usage":null})"
          "\n\n" +
          head +
          R"([{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null})"
          "\n\n" +
          head +
          R"([],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
          R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}})"
          "\n\ndata: [DONE]\n\n");
}

TEST(OpenAiStream, Semantics1WhoDidNotAskForUsageSeesNeitherChunkNorNull) {
  ReplyContext context = kContext;
  context.include_usage = false;
  const std::string out =
      transcode(codec(), codec(), {delta(R"("content":"x")"), finish("stop"), kUsage, kDone}, {}, context);
  EXPECT_EQ(out.find("usage"), std::string::npos);
  EXPECT_EQ(data_of(out).back(), "[DONE]");
}

TEST(OpenAiStream, Semantics6ParallelCallsInterleaveByIndexAndKeepTheirOrder) {
  const auto out = json_of(transcode(
      codec(), codec(),
      {delta(R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}])"),
       delta(R"("tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}])"),
       delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}])"),
       delta(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}}])"),
       delta(R"("tool_calls":[{"index":0,"function":{"arguments":"1.0}"}}])"), finish("tool_calls"), kDone}));
  std::string arguments[2];
  std::string ids[2];
  for (const json& one : out) {
    if (one["choices"].empty() || !one["choices"][0]["delta"].contains("tool_calls")) continue;
    const json& call = one["choices"][0]["delta"]["tool_calls"][0];
    const std::size_t index = call["index"];
    ids[index] += call.value("id", "");
    arguments[index] += call["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(ids[0], "a");  // once
  EXPECT_EQ(ids[1], "b");
  EXPECT_EQ(arguments[0], R"({"x":1.0})");
  EXPECT_EQ(arguments[1], "{}");
}

TEST(OpenAiStream, Semantics6CallsThatAllSayIndexZeroAreToldApartByTheirIds) {
  const auto read = decode({delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])"),
                            delta(R"("tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}])"),
                            finish("tool_calls")});
  std::vector<std::uint32_t> starts;
  for (const StreamEvent& event : read) {
    if (const auto* start = std::get_if<ToolCallStart>(&event)) starts.push_back(start->index);
  }
  EXPECT_EQ(starts, (std::vector<std::uint32_t>{0, 1}));
}

TEST(OpenAiStream, Semantics6ACallWithoutArgumentsEndsAsAnEmptyObject) {
  const auto out = json_of(transcode(
      codec(), codec(),
      {delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}])"), finish("tool_calls")}));
  std::string arguments;
  for (const json& one : out) {
    if (!one["choices"].empty() && one["choices"][0]["delta"].contains("tool_calls")) {
      arguments += one["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].get<std::string>();
    }
  }
  EXPECT_EQ(arguments, "{}");
}

TEST(OpenAiStream, Semantics7OnlyTheLastChunkHasAFinishReason) {
  const auto out = json_of(
      transcode(codec(), codec(), {delta(R"("content":"x")"), finish("length"), finish("stop"), kUsage, kDone}));
  std::vector<std::string> reasons;
  for (const json& one : out) {
    if (!one["choices"].empty() && !one["choices"][0]["finish_reason"].is_null()) {
      reasons.push_back(one["choices"][0]["finish_reason"]);
    }
  }
  EXPECT_EQ(reasons, std::vector<std::string>{"length"});
}

TEST(OpenAiStream, Semantics12AnErrorEndsTheStreamWithoutDone) {
  for (const WireEvent& error :
       {WireEvent{"", R"({"error":{"message":"busy","type":"overloaded_error","code":null,"param":null}})"},
        WireEvent{"error", R"({"message":"busy","type":"overloaded"})"}}) {
    const std::string out = transcode(codec(), codec(), {delta(R"("content":"x")"), error, finish("stop"), kDone});
    const auto said = json_of(out).back();
    EXPECT_EQ(said["error"]["message"], "busy");
    EXPECT_TRUE(said["error"].contains("code") && said["error"].contains("param") && said["error"].contains("type"));
    EXPECT_EQ(out.find("[DONE]"), std::string::npos);
  }
}

TEST(OpenAiStream, Semantics14APingIsAComment) {
  std::string out;
  codec().make_stream_encoder(kContext)->encode(Ping{}, out);
  EXPECT_EQ(out, ": keep-alive\n\n");
}

TEST(OpenAiStream, Semantics13AMissingDoneIsNoCut) {
  const std::string out = transcode(codec(), codec(), {delta(R"("content":"x")"), finish("stop")});
  EXPECT_EQ(data_of(out).back(), "[DONE]");
  const std::string cut = transcode(codec(), codec(), {delta(R"("content":"x")")});
  EXPECT_EQ(cut.find("[DONE]"), std::string::npos);
}

TEST(OpenAiStream, WhatIsNoChunkIsOneHonestError) {
  const std::string whole = delta(R"("content":"secret")").second;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto read = decode({{"", whole.substr(0, size)}, delta(R"("content":"later")")});
    ASSERT_EQ(read.size(), 1U) << size;
    const auto* error = std::get_if<StreamError>(&read[0]);
    ASSERT_NE(error, nullptr) << size;
    EXPECT_EQ(error->failure, weir::Failure::upstream_protocol);
    EXPECT_EQ(error->message.find("secret"), std::string::npos);
  }
  const auto lost = decode({delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])")});
  EXPECT_TRUE(std::holds_alternative<StreamError>(lost.back()));
}

TEST(OpenAiStream, UnknownEventsAreCountedAndPassedOver) {
  std::uint64_t unknown = 0;
  const auto read = decode({{"", R"({"object":"weather.report","clouds":3})"}, finish("stop")}, &unknown);
  EXPECT_EQ(unknown, 1U);
  EXPECT_TRUE(std::holds_alternative<StreamStart>(read.front()));
}

TEST(OpenAiStream, MistralsReasoningIsAListOfParts) {
  const auto out = json_of(transcode(
      codec(), codec(),
      {delta(
           R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm\n"}]},{"type":"text","text":"4"}])"),
       finish("stop")}));
  EXPECT_EQ(out[1]["choices"][0]["delta"]["reasoning_content"], "Hm\n");
  EXPECT_EQ(out[2]["choices"][0]["delta"]["content"], "4");
}

TEST(OpenAiStream, Semantics23ChoicesAreKeptApart) {
  const auto out = json_of(
      transcode(codec(), codec(),
                {chunk(R"([{"index":1,"delta":{"content":"b"}}])"), chunk(R"([{"index":0,"delta":{"refusal":"n"}}])"),
                 chunk(R"([{"index":0,"delta":{},"finish_reason":"stop","logprobs":{"content":[]}}])"),
                 chunk(R"([{"index":1,"delta":{},"finish_reason":"stop"}])")}));
  json seen = json::array();
  for (const json& one : out) {
    const json& choice = one["choices"][0];
    if (choice["delta"].value("content", "") == "b") seen.push_back(choice["index"]);
    if (choice["delta"].contains("refusal") && choice["delta"]["refusal"] == "n") seen.push_back(choice["index"]);
    if (choice["logprobs"].is_object()) seen.push_back("logprobs");
  }
  EXPECT_EQ(seen, json::parse(R"([1,0,"logprobs"])"));
}

}  // namespace
