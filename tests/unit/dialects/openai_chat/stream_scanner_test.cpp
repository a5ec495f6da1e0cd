#include "dialects/openai_chat/stream_scanner.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "net/sse_scanner.hpp"

namespace weir::openai_chat {
namespace {

ChunkFacts read(std::string_view raw) {
  static std::string scratch;
  const net::SseFields fields = net::parse_sse_event(raw, scratch);
  return read_chunk(raw, fields.event, fields.data);
}

std::string event(std::string_view data) {
  return "data: " + std::string{data} + "\n\n";
}

std::string chunk(std::string_view choices, std::string_view more = "") {
  return event(
      R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","choices":)" +
      std::string{choices} + std::string{more} + "}");
}

std::string delta(std::string_view members) {
  return chunk(R"([{"index":0,"delta":{)" + std::string{members} + R"(},"logprobs":null,"finish_reason":null}])");
}

std::string without(std::string_view raw, Span cut) {
  return std::string{raw.substr(0, cut.begin)} + std::string{raw.substr(cut.end)};
}

TEST(StreamScanner, kinds_of_events) {
  EXPECT_EQ(read(": keep-alive\n\n").kind, ChunkKind::comment);
  EXPECT_EQ(read("data: [DONE]\n\n").kind, ChunkKind::done);
  EXPECT_EQ(read("data:[DONE] \r\n\r\n").kind, ChunkKind::done);
  EXPECT_EQ(read(delta(R"("role":"assistant","content":"")")).kind, ChunkKind::other);
  EXPECT_EQ(read(delta(R"("content":"Hi")")).kind, ChunkKind::content);
  EXPECT_EQ(read(chunk("[]", R"(,"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3})")).kind,
            ChunkKind::usage_only);
  EXPECT_EQ(read(chunk("[]", R"(,"prompt_filter_results":[])")).kind, ChunkKind::other);
  EXPECT_EQ(read(event(R"({"error":{"message":"overloaded"}})")).kind, ChunkKind::error);
  EXPECT_EQ(read(event(R"({"error":"overloaded"})")).kind, ChunkKind::error);
  EXPECT_EQ(read("event: error\ndata: out of memory\n\n").kind, ChunkKind::error);
  EXPECT_EQ(read(chunk("[]", R"(,"error":null)")).kind, ChunkKind::other);
}

TEST(StreamScanner, semantics_32_what_is_no_object_is_malformed) {
  for (const std::string_view data :
       {"hello", "[]", "7", "null", "[DONE", "\"text\"", "{", R"({"choices":[})", "{}}", "{} {}",
        R"({"choices":[{"delta":{"content":"a}]})", "<html>", R"({"usage":{"prompt_tokens":1})", R"({"a":tru})",
        R"({"usage":{"prompt_tokens":01}})", "{\"a\":\"\x01\"}"}) {
    EXPECT_EQ(read(event(data)).kind, ChunkKind::malformed) << data;
  }
}

TEST(StreamScanner, first_content_is_what_ruling_13_lists) {
  for (const std::string_view members :
       {R"("content":"a")", R"("refusal":"No.")", R"("reasoning_content":"Hm")", R"("reasoning":"Hm")",
        R"("tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}])",
        R"("audio":{"id":"a"})", R"("function_call":{"arguments":"{"})", R"("content":[{"type":"text","text":"a"}])"}) {
    EXPECT_EQ(read(delta(members)).kind, ChunkKind::content) << members;
  }
  for (const std::string_view members :
       {"", R"("role":"assistant")", R"("content":"","refusal":null)", R"("tool_calls":[])",
        R"("reasoning_content":null)", R"("audio":{})", R"("content":[])", R"("function_call":null)"}) {
    EXPECT_EQ(read(delta(members)).kind, ChunkKind::other) << members;
  }
  const std::string last = chunk(R"([{"index":0,"delta":{},"finish_reason":"stop"}])");
  const ChunkFacts facts = read(last);
  EXPECT_EQ(facts.kind, ChunkKind::content);
  EXPECT_EQ(facts.finish_reason, "stop");
  EXPECT_EQ(facts.model, "gpt-4o-mini-2024-07-18");
}

TEST(StreamScanner, generated_text_is_counted) {
  EXPECT_EQ(read(delta(R"("content":"four","reasoning_content":"six666","refusal":"no")")).text_bytes, 12U);
  EXPECT_EQ(read(delta(R"("tool_calls":[{"index":0,"id":"ignored","function":{"name":"ab","arguments":"{\"c\":1}"}}])"))
                .text_bytes,
            2U + 9U);
  EXPECT_EQ(read(delta(R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"abcd"}]}])")).text_bytes,
            4U);
  EXPECT_EQ(read(delta(R"("audio":{"data":"AAAAAAAA","transcript":"hello"})")).text_bytes, 5U);
}

TEST(StreamScanner, semantics_1_injected_usage_leaves_no_trace) {
  const std::string_view choices = R"([{"index":0,"delta":{"content":"a"},"finish_reason":null}])";
  for (const std::string_view usage :
       {R"(,"usage":null)", R"( , "usage" : null)", R"(,"usage":{"prompt_tokens":1,"completion_tokens":2})"}) {
    const std::string raw = chunk(choices, usage);
    const ChunkFacts facts = read(raw);
    ASSERT_TRUE(facts.has_usage_member);
    EXPECT_EQ(facts.kind, ChunkKind::content);
    EXPECT_EQ(without(raw, facts.usage_cut), chunk(choices));
  }
  const std::string first = event(R"({"usage":null, "choices":[]})");
  EXPECT_EQ(without(first, read(first).usage_cut), event(R"({"choices":[]})"));
  const std::string only = event(R"({ "usage":null })");
  EXPECT_EQ(without(only, read(only).usage_cut), event(R"({  })"));
  EXPECT_FALSE(read(chunk(choices)).has_usage_member);
}

TEST(StreamScanner, usage_end_is_the_closing_brace) {
  const std::string raw = chunk(
      "[]",
      R"(,"usage":{"prompt_tokens":1,"completion_tokens_details":{"reasoning_tokens":0},"completion_tokens":2 })");
  const ChunkFacts facts = read(raw);
  ASSERT_TRUE(facts.usage.reported);
  std::string with_cost = raw;
  with_cost.insert(facts.usage_end, R"(,"weir":{"cost_usd":0.1})");
  EXPECT_TRUE(with_cost.ends_with(R"("completion_tokens":2 ,"weir":{"cost_usd":0.1}}})"
                                  "\n\n"))
      << with_cost;
}

TEST(StreamScanner, of_two_usage_members_the_last_counts) {
  const ChunkFacts facts = read(chunk("[]", R"(,"usage":{"prompt_tokens":1},"usage":null)"));
  EXPECT_FALSE(facts.usage.reported);
  EXPECT_EQ(facts.kind, ChunkKind::other);
}

TEST(StreamScanner, semantics_13_data_in_several_lines) {
  const std::string raw = "data: {\"choices\":[],\ndata: \"usage\":null}\n\n";
  const ChunkFacts facts = read(raw);
  EXPECT_EQ(facts.kind, ChunkKind::other);
  EXPECT_EQ(facts.rewritten, "data: {\"choices\":[], \"usage\":null}\n\n");
  EXPECT_EQ(without(facts.rewritten, facts.usage_cut), "data: {\"choices\":[]}\n\n");
}

TEST(StreamScanner, line_ends_and_prefixes_do_not_move_the_offsets) {
  for (const std::string& raw :
       {std::string{"data:{\"usage\":{\"prompt_tokens\":1},\"choices\":[]}\r\n\r\n"},
        std::string{"id: 7\nevent: chunk\ndata: {\"usage\":{\"prompt_tokens\":1},\"choices\":[]}\n\n"},
        std::string{": note\rdata: {\"usage\":{\"prompt_tokens\":1},\"choices\":[]}\r\r"}}) {
    const ChunkFacts facts = read(raw);
    EXPECT_EQ(facts.kind, ChunkKind::usage_only);
    EXPECT_EQ(raw.substr(facts.usage_end, 2), "},");
    EXPECT_EQ(raw.substr(facts.usage_cut.begin, facts.usage_cut.size()), "\"usage\":{\"prompt_tokens\":1},");
  }
}

/// What is cut is the usage member and nothing else, whatever stands around it.
TEST(StreamScanner, cuts_of_random_chunks_agree_with_a_tree) {
  std::mt19937 dice{11};
  const std::vector<std::string> others{
      R"("id":"\"usage\":null")", R"("choices":[{"delta":{"content":"x","usage":1},"usage":null}])", R"("created":1.0)",
      R"("system_fingerprint":null)", R"("x":{"usage":{"prompt_tokens":9}})"};
  const std::vector<std::string> usages{"null", "{}", R"({"prompt_tokens":3,"completion_tokens":4})", R"({ "x":[{}] })",
                                        "7"};
  const std::vector<std::string> spaces{"", "", " ", "\t "};
  const auto pick = [&dice](const std::vector<std::string>& of) { return of[dice() % of.size()]; };
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::string> members{"\"usage\":" + pick(spaces) + pick(usages)};
    for (const std::string& other : others) {
      if (dice() % 2 == 0) members.push_back(other);
    }
    std::shuffle(members.begin(), members.end(), dice);
    std::string data = "{";
    for (std::size_t i = 0; i < members.size(); ++i)
      data += (i == 0 ? "" : ",") + pick(spaces) + members[i] + pick(spaces);
    data += "}";
    const std::string raw = event(data);
    const ChunkFacts facts = read(raw);
    ASSERT_TRUE(facts.has_usage_member) << raw;
    auto expected = nlohmann::json::parse(data);
    expected.erase("usage");
    const std::string cut = without(raw, facts.usage_cut);
    ASSERT_EQ(nlohmann::json::parse(cut.substr(6)), expected) << raw << cut;
    ASSERT_EQ(read(cut).has_usage_member, false);
    if (facts.usage.reported) {
      ASSERT_EQ(raw[facts.usage_end], '}');
    }
  }
}

TEST(Usage, semantics_3_details_are_parts_of_the_whole) {
  const ChunkFacts facts =
      read(chunk("[]", R"(,"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,)"
                       R"("prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,"audio_tokens":0},)"
                       R"("completion_tokens_details":{"reasoning_tokens":20,"rejected_prediction_tokens":5}})"));
  EXPECT_EQ(
      facts.usage,
      (Usage{.uncached = 30, .cache_read = 60, .cache_write = 10, .output = 50, .reasoning = 20, .reported = true}));
}

Usage usage_of(std::string_view object) {
  const Usage usage = read(event(R"({"choices":[],"usage":)" + std::string{object} + "}")).usage;
  EXPECT_TRUE(usage_holds(usage)) << object;
  return usage;
}

TEST(Usage, names_of_compatible_servers) {
  EXPECT_EQ(
      usage_of(
          R"({"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2})"),
      (Usage{.uncached = 2, .cache_read = 8, .output = 1, .reported = true}));
  EXPECT_EQ(usage_of(R"({"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2,"completion_tokens":1})").prompt(),
            10);
  EXPECT_EQ(usage_of(R"({"input_tokens":5,"output_tokens":6,"output_tokens_details":{"reasoning_tokens":2}})"),
            (Usage{.uncached = 5, .output = 6, .reasoning = 2, .reported = true}));
  EXPECT_EQ(
      usage_of(
          R"({"prompt_tokens":5,"completion_tokens":9,"total_tokens":114,"completion_tokens_details":{"reasoning_tokens":100}})"),
      (Usage{.uncached = 5, .output = 109, .reasoning = 100, .reported = true}));
  EXPECT_EQ(usage_of(R"({"prompt_tokens":5.0,"completion_tokens":9})").uncached, 5);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":5,"completion_tokens":9,"prompt_tokens_details":null})").uncached, 5);
}

TEST(Usage, nonsense_is_not_booked) {
  EXPECT_FALSE(usage_of("{}").reported);
  EXPECT_FALSE(usage_of(R"({"prompt_tokens":-1,"completion_tokens":2})").reported);
  EXPECT_FALSE(usage_of(R"({"prompt_tokens":9007199254740993,"completion_tokens":2})").reported);
  EXPECT_FALSE(usage_of(R"({"prompt_tokens":1e300})").reported);
  EXPECT_FALSE(usage_of(R"({"prompt_tokens":"5"})").reported);
  EXPECT_EQ(
      usage_of(R"({"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":9}})").cache_read,
      5);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":5,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":9}})")
                .reasoning,
            2);
}

TEST(StreamState, adds_up_a_stream) {
  StreamState state;
  for (const std::string& raw :
       {delta(R"("role":"assistant","content":"")"), delta(R"("content":"Hello")"), delta(R"("content":" you")")}) {
    state.add(read(raw));
  }
  EXPECT_FALSE(state.complete());
  EXPECT_TRUE(state.content_seen());
  EXPECT_EQ(state.text_bytes(), 9U);
  state.add(read(chunk(R"([{"index":0,"delta":{},"finish_reason":"length"}])")));
  EXPECT_TRUE(state.complete());
  EXPECT_EQ(state.finish_reason(), "length");
  state.add(read(chunk("[]", R"(,"usage":{"prompt_tokens":7,"completion_tokens":3})")));
  state.add(read("data: [DONE]\n\n"));
  EXPECT_TRUE(state.done_seen());
  EXPECT_EQ(state.model(), "gpt-4o-mini-2024-07-18");
  EXPECT_EQ(state.usage_or_estimate(4000), (Usage{.uncached = 7, .output = 3, .reported = true}));
}

TEST(StreamState, semantics_2_a_cut_stream_is_estimated) {
  StreamState state;
  state.add(read(delta(R"("content":"twelve bytes")")));
  EXPECT_EQ(state.usage_or_estimate(400), (Usage{.uncached = 100, .output = 3, .estimated = true}));
  state.add(read(chunk("[]", R"(,"usage":{"prompt_tokens":90,"completion_tokens":1})")));
  EXPECT_EQ(state.usage_or_estimate(400), (Usage{.uncached = 90, .output = 3, .reported = true, .estimated = true}));
}

TEST(StreamState, cumulative_usage_is_taken_at_its_latest) {
  StreamState state;
  for (const int tokens : {1, 2, 3}) {
    state.add(read(chunk(R"([{"index":0,"delta":{"content":"a"}}])",
                         R"(,"usage":{"prompt_tokens":5,"completion_tokens":)" + std::to_string(tokens) + "}")));
  }
  EXPECT_EQ(state.usage().output, 3);
}

}  // namespace
}  // namespace weir::openai_chat
