#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/openai_chat/codec.hpp"
#include "dialects/openai_responses/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::test::data_of;
using weir::test::json_of;
using weir::test::kContext;
using weir::test::reply_in;
using weir::test::transcode;
using weir::test::WireEvent;

const Codec& chat() {
  return weir::openai_chat::codec();
}
const Codec& responses() {
  return weir::openai_responses::codec();
}

const std::string kReply =
    R"({"id":"resp_1","object":"response","created_at":1741476542,"status":"completed","error":null,
  "incomplete_details":null,"model":"gpt-x","output":[
   {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"sealed"},
   {"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi\n",
     "annotations":[{"type":"url_citation","url":"https://a/","title":"A","start_index":0,"end_index":2}]}]},
   {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"x\": 1.50}","status":"completed"}],
  "usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":123}})";

TEST(ResponsesReply, ComesAsAChatCompletion) {
  const json reply = reply_in(responses(), chat(), kReply);
  const json& message = reply["choices"][0]["message"];
  EXPECT_EQ(message["content"], "Hi\n");
  EXPECT_EQ(message["reasoning_content"], "Hm.");
  EXPECT_EQ(message["annotations"][0]["url_citation"]["url"], "https://a/");
  EXPECT_EQ(message["tool_calls"][0]["id"], "c1");
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], R"({"x": 1.50})");
  EXPECT_EQ(reply["choices"][0]["finish_reason"], "tool_calls");
  EXPECT_EQ(reply["usage"]["prompt_tokens_details"]["cached_tokens"], 6);
  EXPECT_EQ(reply["usage"]["completion_tokens_details"]["reasoning_tokens"], 5);
}

TEST(ResponsesReply, WhatWasReadIsWrittenAgain) {
  const json reply = reply_in(responses(), responses(), kReply);
  json expected = json::parse(kReply);
  expected["output"][0]["id"] = "rs_call-1_0";
  expected["output"][1]["id"] = "msg_call-1_1";
  expected["output"][2]["id"] = "fc_call-1_2";
  expected["output"][1]["content"][0]["logprobs"] = json::array();
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(reply[key], value) << key;
}

TEST(ResponsesReply, Semantics7WhatCutAnAnswerShort) {
  const auto ended = [](const std::string& reason) {
    return reply_in(responses(), chat(),
                    R"({"status":"incomplete","incomplete_details":{"reason":")" + reason +
                        R"("},"output":[]})")["choices"][0]["finish_reason"];
  };
  EXPECT_EQ(ended("max_output_tokens"), "length");
  EXPECT_EQ(ended("content_filter"), "content_filter");
  const json cut =
      reply_in(chat(), responses(),
               R"({"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"length"}]})");
  EXPECT_EQ(cut["status"], "incomplete");
  EXPECT_EQ(cut["incomplete_details"]["reason"], "max_output_tokens");
}

TEST(ResponsesReply, AnAnswerCutAnywhereIsAnHonestErrorAndAFailedOneIsSaid) {
  for (std::size_t size = 0; size < kReply.size(); ++size) {
    EXPECT_FALSE(responses().decode_reply(kReply.substr(0, size), {})) << size;
  }
  const auto failed =
      responses().decode_reply(R"({"status":"failed","error":{"code":"server_error","message":"x"}})", {});
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->error);
}

WireEvent event(const std::string& data) {
  return {json::parse(data)["type"], data};
}
const std::vector<WireEvent> kStream{
    event(
        R"({"type":"response.created","sequence_number":0,"response":{"id":"resp_1","created_at":1741476542,"model":"gpt-x","status":"in_progress","output":[]}})"),
    event(R"({"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1"}})"),
    event(
        R"({"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}})"),
    event(
        R"({"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"Hm."})"),
    event(
        R"({"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"sealed"}})"),
    event(
        R"({"type":"response.output_item.added","sequence_number":5,"output_index":1,"item":{"type":"message","id":"msg_1","role":"assistant","content":[]}})"),
    event(
        R"({"type":"response.content_part.added","sequence_number":6,"output_index":1,"content_index":0,"part":{"type":"output_text","text":""}})"),
    event(
        R"({"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Hi\n"})"),
    event(
        R"({"type":"response.output_text.done","sequence_number":8,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Hi\n"})"),
    event(
        R"({"type":"response.output_item.added","sequence_number":9,"output_index":2,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":""}})"),
    event(
        R"({"type":"response.output_item.added","sequence_number":10,"output_index":3,"item":{"type":"function_call","id":"fc_2","call_id":"c2","name":"g","arguments":""}})"),
    event(
        R"({"type":"response.function_call_arguments.delta","sequence_number":11,"output_index":2,"delta":"{\"x\":"})"),
    event(
        R"({"type":"response.function_call_arguments.delta","sequence_number":12,"output_index":2,"delta":" 1.50}"})"),
    event(
        R"({"type":"response.output_item.done","sequence_number":13,"output_index":3,"item":{"type":"function_call","call_id":"c2","name":"g","arguments":"{}"}})"),
    event(
        R"({"type":"response.completed","sequence_number":14,"response":{"id":"resp_1","status":"completed","usage":{"input_tokens":36,"output_tokens":87}}})")};

TEST(ResponsesStream, ComesAsChunksOfAChatCompletion) {
  const std::string out = transcode(responses(), chat(), kStream);
  std::string content, reasoning, arguments[2], reason, signature;
  for (const json& one : json_of(out)) {
    if (one["choices"].empty()) continue;
    const json& delta = one["choices"][0]["delta"];
    content += delta.value("content", "");
    reasoning += delta.value("reasoning_content", "");
    if (delta.contains("thinking_blocks")) signature += delta["thinking_blocks"][0]["signature"];
    if (delta.contains("tool_calls")) {
      const json& call = delta["tool_calls"][0];
      arguments[call["index"].get<std::size_t>()] += call["function"]["arguments"].get<std::string>();
    }
    if (one["choices"][0]["finish_reason"].is_string()) reason += one["choices"][0]["finish_reason"];
  }
  EXPECT_EQ(content, "Hi\n");
  EXPECT_EQ(reasoning, "Hm.");
  EXPECT_EQ(signature, "sealed");
  EXPECT_EQ(arguments[0], R"({"x": 1.50})");
  EXPECT_EQ(arguments[1], "{}");
  EXPECT_EQ(reason, "tool_calls");
  EXPECT_EQ(json_of(out).back()["usage"]["total_tokens"], 123);
  EXPECT_EQ(data_of(out).back(), "[DONE]");
}

TEST(ResponsesStream, EveryEventIsNumberedAndTheLastSaysTheWhole) {
  const auto out = json_of(transcode(responses(), responses(), kStream));
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i]["sequence_number"], i);
  std::vector<std::string> types;
  for (const json& one : out) types.push_back(one["type"].get<std::string>().substr(9));
  EXPECT_EQ(types, (std::vector<std::string>{"created",
                                             "in_progress",
                                             "output_item.added",
                                             "reasoning_summary_part.added",
                                             "reasoning_summary_text.delta",
                                             "reasoning_summary_text.done",
                                             "reasoning_summary_part.done",
                                             "output_item.done",
                                             "output_item.added",
                                             "content_part.added",
                                             "output_text.delta",
                                             "output_text.done",
                                             "content_part.done",
                                             "output_item.done",
                                             "output_item.added",
                                             "output_item.added",
                                             "function_call_arguments.delta",
                                             "function_call_arguments.delta",
                                             "function_call_arguments.delta",
                                             "function_call_arguments.done",
                                             "output_item.done",
                                             "function_call_arguments.done",
                                             "output_item.done",
                                             "completed"}));
  const json& response = out.back()["response"];
  EXPECT_EQ(response["id"], "resp_1");
  EXPECT_EQ(response["status"], "completed");
  ASSERT_EQ(response["output"].size(), 4U);
  EXPECT_EQ(response["output"][0]["encrypted_content"], "sealed");
  EXPECT_EQ(response["output"][0]["summary"][0]["text"], "Hm.");
  EXPECT_EQ(response["output"][1]["content"][0]["text"], "Hi\n");
  EXPECT_EQ(response["output"][2]["arguments"], R"({"x": 1.50})");
  EXPECT_EQ(response["output"][3]["call_id"], "c2");
  EXPECT_EQ(response["usage"]["total_tokens"], 123);
}

TEST(ResponsesStream, TheBytesOfOneDelta) {
  const auto encoder = responses().make_stream_encoder(kContext);
  std::string out;
  encoder->encode(StreamStart{}, out);
  encoder->encode(TextDelta{0, Text::plain("a")}, out);
  out.clear();
  encoder->encode(TextDelta{0, Text::plain("b")}, out);
  EXPECT_EQ(
      out,
      "event: response.output_text.delta\n"
      R"(data: {"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_call-1_0","output_index":0,"content_index":0,"delta":"b","logprobs":[]})"
      "\n\n");
}

TEST(ResponsesStream, Semantics12AnErrorEndsTheStreamBothWays) {
  const std::string out =
      transcode(chat(), responses(), {{"", R"({"error":{"message":"busy","type":"overloaded_error"}})"}});
  EXPECT_EQ(json_of(out).back()["type"], "error");
  EXPECT_EQ(json_of(out).back()["message"], "busy");
  EXPECT_EQ(out.find("response.completed"), std::string::npos);
  for (const char* failing :
       {R"({"type":"response.failed","response":{"error":{"code":"server_error","message":"broken"}}})",
        R"({"type":"error","code":"server_error","message":"broken","param":null})"}) {
    const std::string chunks = transcode(responses(), chat(), {kStream[0], event(failing), kStream[14]});
    EXPECT_EQ(json_of(chunks).back()["error"]["message"], "broken");
    EXPECT_EQ(chunks.find("[DONE]"), std::string::npos);
  }
}

TEST(ResponsesStream, TheNumberOfTheNextEventIsKnown) {
  const auto decoder = responses().make_stream_decoder({});
  std::vector<StreamEvent> read;
  EXPECT_EQ(decoder->next_event(), 0);
  decoder->feed("", R"({"type":"response.created","sequence_number":0,"response":{"id":"r"}})", read);
  EXPECT_EQ(decoder->next_event(), 1);
  decoder->feed("", R"({"type":"response.output_text.delta","sequence_number":7,"delta":"x"})", read);
  EXPECT_EQ(decoder->next_event(), 8);
  decoder->feed("", R"({"type":"response.output_text.delta","sequence_number":"odd","delta":"x"})", read);
  EXPECT_EQ(decoder->next_event(), 8);
  decoder->feed("", R"({"type":"error","sequence_number":8,"message":"broken"})", read);
  EXPECT_EQ(decoder->next_event(), 8) << "the event that ends it is not passed on";

  std::string out;
  const auto encoder = responses().make_stream_encoder({.call_id = "c", .model = "m", .created = 1, .next_event = 8});
  encoder->encode(StreamError{.failure = weir::Failure::upstream_protocol, .status = 0, .message = "cut", .code = {}},
                  out);
  EXPECT_EQ(json_of(out).back()["sequence_number"], 8);
  EXPECT_EQ(encoder->next_event(), 9);
}

TEST(ResponsesStream, WhatIsCutLostOrUnknown) {
  const auto decode = [](const std::vector<WireEvent>& events, std::uint64_t& unknown) {
    const auto decoder = responses().make_stream_decoder({});
    std::vector<StreamEvent> read;
    for (const auto& [name, data] : events) decoder->feed(name, data, read);
    decoder->end(read);
    unknown = decoder->unknown_events();
    return read;
  };
  std::uint64_t unknown = 0;
  for (std::size_t size = 1; size < kStream[7].second.size(); ++size) {
    const std::vector<WireEvent> events{{"", kStream[7].second.substr(0, size)}, kStream[14]};
    const auto read = decode(events, unknown);
    ASSERT_EQ(read.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<StreamError>(read[0])) << size;
  }
  const std::vector<WireEvent> lost{kStream[0], kStream[11]};
  EXPECT_TRUE(std::holds_alternative<StreamError>(decode(lost, unknown).back()));
  const std::vector<WireEvent> early(kStream.begin(), kStream.begin() + 14);
  EXPECT_FALSE(std::holds_alternative<Done>(decode(early, unknown).back()));
  std::vector<WireEvent> strange = kStream;
  strange.insert(strange.begin() + 3, event(R"({"type":"response.hologram.delta","delta":"x"})"));
  EXPECT_TRUE(std::holds_alternative<Done>(decode(strange, unknown).back()));
  EXPECT_EQ(unknown, 1U);
}

}  // namespace
