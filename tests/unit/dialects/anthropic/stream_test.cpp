#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::test::data_of;
using weir::test::json_of;
using weir::test::kContext;
using weir::test::transcode;
using weir::test::WireEvent;

const Codec& openai() {
  return weir::openai_chat::codec();
}
const Codec& claude() {
  return weir::anthropic::codec();
}

WireEvent event(const std::string& data) {
  return {json::parse(data)["type"], data};
}

/// As the documentation shows a stream with thinking, text and a tool.
const std::vector<WireEvent> kStream{
    event(
        R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":20,"output_tokens":1}}})"),
    event(
        R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})"),
    event(R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}})"),
    event(R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig=="}})"),
    event(R"({"type":"content_block_stop","index":0})"),
    event(R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})"),
    event(R"({"type":"ping"})"),
    event(R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"H\u00e9"}})"),
    event(R"({"type":"content_block_stop","index":1})"),
    event(
        R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}})"),
    event(R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}})"),
    event(R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}})"),
    event(R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":" 1.50}"}})"),
    event(R"({"type":"content_block_stop","index":2})"),
    event(
        R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}})"),
    event(R"({"type":"message_stop"})")};

std::vector<StreamEvent> decode(const std::vector<WireEvent>& events, std::uint64_t* unknown = nullptr) {
  static std::vector<WireEvent> kept;  // texts are views
  kept = events;
  const auto decoder = claude().make_stream_decoder({});
  std::vector<StreamEvent> read;
  for (const auto& [name, data] : kept) decoder->feed(name, data, read);
  decoder->end(read);
  if (unknown != nullptr) *unknown = decoder->unknown_events();
  return read;
}

template <class Kind>
const Kind* last(const std::vector<StreamEvent>& events) {
  for (auto one = events.rbegin(); one != events.rend(); ++one) {
    if (const auto* found = std::get_if<Kind>(&*one)) return found;
  }
  return nullptr;
}

TEST(AnthropicStream, ComesAsChunksOfAChatCompletion) {
  const std::string out = transcode(claude(), openai(), kStream);
  std::string content, reasoning, arguments, signature, id, reason;
  for (const json& one : json_of(out)) {
    EXPECT_EQ(one["id"], "msg_1");
    if (one["choices"].empty()) continue;
    const json& delta = one["choices"][0]["delta"];
    if (delta.contains("content")) content += delta["content"].get<std::string>();
    if (delta.contains("reasoning_content")) reasoning += delta["reasoning_content"].get<std::string>();
    if (delta.contains("thinking_blocks")) signature += delta["thinking_blocks"][0]["signature"].get<std::string>();
    if (delta.contains("tool_calls")) {
      EXPECT_EQ(delta["tool_calls"][0]["index"], 0);
      id += delta["tool_calls"][0].value("id", "");
      arguments += delta["tool_calls"][0]["function"]["arguments"].get<std::string>();
    }
    if (!one["choices"][0]["finish_reason"].is_null()) reason += one["choices"][0]["finish_reason"].get<std::string>();
  }
  EXPECT_EQ(content, "H\xC3\xA9");
  EXPECT_EQ(reasoning, "Hm");
  EXPECT_EQ(signature, "sig==");
  EXPECT_EQ(id, "toolu_1");
  EXPECT_EQ(arguments, R"({"x": 1.50})");
  EXPECT_EQ(reason, "tool_calls");
  EXPECT_NE(out.find(": keep-alive"), std::string::npos);
  EXPECT_EQ(data_of(out).back(), "[DONE]");
}

TEST(AnthropicStream, Semantics4MessageDeltaIsCumulativeAndTheLatestPerFieldCounts) {
  const json usage = json_of(transcode(claude(), openai(), kStream)).back()["usage"];
  EXPECT_EQ(usage["prompt_tokens"], 35);
  EXPECT_EQ(usage["completion_tokens"], 89);  // not 90
  // Compatible servers say 0 at the start and the whole at the end.
  const auto read = decode(
      {event(R"({"type":"message_start","message":{"usage":{"input_tokens":0,"output_tokens":0}}})"),
       event(R"({"type":"message_delta","delta":{},"usage":{"input_tokens":7,"output_tokens":2}})"),
       event(
           R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5,"cache_read_input_tokens":3}})"),
       event(R"({"type":"message_stop"})")});
  const auto* snapshot = last<UsageSnapshot>(read);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->report.usage.uncached, 7);
  EXPECT_EQ(snapshot->report.usage.cache_read, 3);
  EXPECT_EQ(snapshot->report.usage.output, 5);
}

TEST(AnthropicStream, Semantics22ThinkingAndItsSignatureSurviveThisDialect) {
  const auto out = json_of(transcode(claude(), claude(), kStream));
  std::vector<json> expected;
  for (const auto& [name, data] : kStream) expected.push_back(json::parse(data));
  expected.erase(expected.begin() + 10);  // the piece that is empty
  std::swap(expected[5], expected[6]);    // a block begins with its first text
  expected[13] = json::parse(
      R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":20,"output_tokens":89}})");
  EXPECT_EQ(json(out), json(expected));
}

TEST(AnthropicStream, TheBytesOfATextStreamFromChatCompletions) {
  const std::string head = R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt","choices":)";
  const std::string out = transcode(
      openai(), claude(),
      {{"", head + R"([{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})"},
       {"", head + R"([{"index":0,"delta":{"content":"Hi\n"},"finish_reason":null}]})"},
       {"", head + R"([{"index":0,"delta":{},"finish_reason":"length"}]})"},
       {"",
        head + R"([],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}})"},
       {"", "[DONE]"}});
  EXPECT_EQ(
      out,
      "event: message_start\n"
      R"(data: {"type":"message_start","message":{"id":"c1","type":"message","role":"assistant","model":"gpt","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}})"
      "\n\nevent: content_block_start\n"
      R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
      "\n\nevent: content_block_delta\n"
      R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi\n"}})"
      "\n\nevent: content_block_stop\n"
      R"(data: {"type":"content_block_stop","index":0})"
      "\n\nevent: message_delta\n"
      R"(data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":2}})"
      "\n\nevent: message_stop\n"
      R"(data: {"type":"message_stop"})"
      "\n\n");
}

/// The tool blocks of a stream of this dialect as id → arguments, in their order; fails where blocks overlap.
std::vector<std::pair<std::string, std::string>> tools_of(const std::string& stream) {
  std::vector<std::pair<std::string, std::string>> calls;
  std::int64_t open = -1;
  for (const json& one : json_of(stream)) {
    if (one["type"] == "content_block_start") {
      EXPECT_EQ(open, -1) << "two blocks are open";
      open = one["index"];
      if (one["content_block"]["type"] == "tool_use") calls.emplace_back(one["content_block"]["id"], "");
    } else if (one["type"] == "content_block_delta") {
      EXPECT_EQ(one["index"], open);
      if (one["delta"]["type"] == "input_json_delta") calls.back().second += one["delta"]["partial_json"];
    } else if (one["type"] == "content_block_stop") {
      EXPECT_EQ(one["index"], open);
      open = -1;
    }
  }
  EXPECT_EQ(open, -1);
  return calls;
}

WireEvent piece(int index, const std::string& id, const std::string& arguments) {
  json call{{"index", index}, {"function", {{"arguments", arguments}}}};
  if (!id.empty()) {
    call["id"] = id;
    call["function"]["name"] = "f";
  }
  return {"", json{{"choices", {{{"index", 0}, {"delta", {{"tool_calls", {call}}}}}}}}.dump()};
}

TEST(AnthropicStream, Semantics6InterleavedCallsComeOneAfterTheOther) {
  using Calls = std::vector<std::pair<std::string, std::string>>;
  const WireEvent end{"", R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})"};
  EXPECT_EQ(
      tools_of(transcode(openai(), claude(),
                         {piece(0, "a", ""), piece(1, "b", ""), piece(0, "", R"({"x":)"), piece(1, "", R"({"y":)"),
                          piece(2, "c", "{}"), piece(0, "", R"("}"})"), piece(1, "", "[2.0]}"), end})),
      (Calls{{"a", R"({"x":"}"})"}, {"b", R"({"y":[2.0]})"}, {"c", "{}"}}));
  EXPECT_EQ(tools_of(transcode(openai(), claude(), {piece(0, "a", ""), piece(1, "b", R"({"y":1})"), end})),
            (Calls{{"a", ""}, {"b", R"({"y":1})"}}));
}

TEST(AnthropicStream, Semantics6AWholeCallIsPassedOnBeforeTheStreamEnds) {
  const auto decoder = openai().make_stream_decoder({});
  const auto encoder = claude().make_stream_encoder(kContext);
  std::string out;
  for (const WireEvent& one : {piece(0, "a", "{}"), piece(1, "b", R"({"y":)")}) {
    std::vector<StreamEvent> read;
    decoder->feed(one.first, one.second, read);
    for (const StreamEvent& said : read) encoder->encode(said, out);
  }
  EXPECT_NE(out.find(R"("partial_json":"{\"y\":")"), std::string::npos) << out;
}

TEST(AnthropicStream, TheForcedToolsPiecesAreText) {
  const std::string out = transcode(
      claude(), openai(),
      {kStream[0],
       event(
           R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"answer","input":{}}})"),
       event(
           R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1.0}"}})"),
       event(R"({"type":"content_block_stop","index":0})"), kStream[14], kStream[15]},
      {.schema_tool = "answer"});
  EXPECT_NE(out.find(R"("content":"{\"a\":1.0}")"), std::string::npos);
  EXPECT_EQ(out.find("tool_calls"), std::string::npos);
  EXPECT_NE(out.find(R"("finish_reason":"stop")"), std::string::npos);
}

TEST(AnthropicStream, Semantics12AnErrorAfter200IsAnErrorEvent) {
  const std::string out =
      transcode(openai(), claude(), {{"", R"({"error":{"message":"busy","type":"overloaded_error"}})"}, kStream[15]});
  EXPECT_EQ(out,
            "event: error\ndata: "
            R"({"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"call-1"})"
            "\n\n");
  std::vector<WireEvent> failing(kStream.begin(), kStream.begin() + 8);
  failing.push_back(event(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"));
  failing.push_back(kStream[15]);
  const std::string chunks = transcode(claude(), openai(), failing);
  EXPECT_EQ(json_of(chunks).back()["error"]["message"], "Overloaded");
  EXPECT_EQ(chunks.find("[DONE]"), std::string::npos);
  const auto read = decode(failing);
  ASSERT_NE(last<StreamError>(read), nullptr);
  EXPECT_EQ(last<StreamError>(read)->failure, weir::Failure::upstream_overloaded);
}

TEST(AnthropicStream, Semantics14APingIsAnEvent) {
  std::string out;
  claude().make_stream_encoder(kContext)->encode(Ping{}, out);
  EXPECT_EQ(out, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

TEST(AnthropicStream, WhatComesOutOfOrderIsOneHonestError) {
  const std::vector<std::vector<WireEvent>> wrong{
      {kStream[1]},                          // content before the message
      {kStream[0], kStream[2]},              // of a block that never began
      {kStream[0], kStream[1], kStream[1]},  // twice
      {kStream[0], kStream[0]},
      {kStream[0], kStream[4]},
      {kStream[0], kStream[1], kStream[7]},
      {kStream[0], kStream[5], kStream[2]},
      {kStream[0], event(R"({"type":"content_block_start","index":-5,"content_block":{"type":"text"}})")},
      {kStream[0], event(R"({"type":"content_block_start","index":99999999,"content_block":{"type":"text"}})")},
      {kStream[15]},
      {kStream[14]},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    std::vector<WireEvent> events = wrong[i];
    events.push_back(kStream[15]);
    const auto read = decode(events);
    std::size_t errors = 0;
    for (const StreamEvent& one : read) errors += std::holds_alternative<StreamError>(one) ? 1 : 0;
    EXPECT_EQ(errors, 1U) << i;
    EXPECT_TRUE(std::holds_alternative<StreamError>(read.back())) << i;
  }
}

TEST(AnthropicStream, AnEventCutAnywhereIsOneHonestError) {
  for (std::size_t which = 0; which < kStream.size(); ++which) {
    for (std::size_t size = 1; size < kStream[which].second.size(); ++size) {
      std::vector<WireEvent> events(kStream.begin(), kStream.begin() + static_cast<std::ptrdiff_t>(which));
      events.emplace_back(kStream[which].first, kStream[which].second.substr(0, size));
      const auto read = decode(events);
      ASSERT_TRUE(!read.empty() && std::holds_alternative<StreamError>(read.back())) << which << " " << size;
    }
  }
}

TEST(AnthropicStream, AStreamThatEndsEarlyIsNotComplete) {
  for (std::size_t size = 0; size < 14; ++size) {
    const std::vector<WireEvent> events(kStream.begin(), kStream.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(last<Done>(decode(events)), nullptr) << size;
  }
  const std::vector<WireEvent> without_stop(kStream.begin(), kStream.begin() + 15);
  EXPECT_NE(last<Done>(decode(without_stop)), nullptr);
}

TEST(AnthropicStream, UnknownEventsAndBlocksAreCountedAndPassedOver) {
  std::vector<WireEvent> events = kStream;
  events.insert(events.begin() + 1, event(R"({"type":"weather_report","clouds":3})"));
  events.insert(events.begin() + 2,
                event(R"({"type":"content_block_start","index":7,"content_block":{"type":"hologram"}})"));
  events.insert(events.begin() + 3,
                event(R"({"type":"content_block_delta","index":7,"delta":{"type":"x_delta","x":1}})"));
  events.insert(events.begin() + 4, event(R"({"type":"content_block_stop","index":7})"));
  std::uint64_t unknown = 0;
  const auto read = decode(events, &unknown);
  EXPECT_EQ(unknown, 2U);
  EXPECT_TRUE(std::holds_alternative<Done>(read.back()));
}

}  // namespace
