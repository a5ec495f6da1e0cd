// What makes the way openai → vocabulary → anthropic → vocabulary → openai comes out as it went in.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "dialects/anthropic/codec.hpp"
#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::test::translate;

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t most) { return random_() % most; }
  std::string text() {
    static const std::vector<std::string> pieces{"a",  "\n", "\"",   "\\", "\xC3\xA9", "\xF0\x9F\x98\x80",
                                                 " b", "{",  "\x01", "/"};
    std::string made = "t";
    for (std::size_t i = below(12); i > 0; --i) made += pieces[below(pieces.size())];
    return made;
  }
  json object() {
    json made = json::object();
    for (std::size_t i = below(4); i > 0; --i)
      made[text()] = below(2) == 0 ? json(text()) : json::array({below(99), nullptr});
    return made;
  }

 private:
  std::mt19937 random_;
};

/// A conversation that both dialects can hold.
json conversation(Dice& dice) {
  json messages = json::array();
  if (dice.below(2) == 0) messages.push_back({{"role", "system"}, {"content", dice.text()}});
  std::size_t calls = 0;
  for (std::size_t turn = 0; turn <= dice.below(4); ++turn) {
    json parts = json::array({{{"type", "text"}, {"text", dice.text()}}});
    for (std::size_t i = dice.below(3); i > 0; --i) {
      const std::string url = dice.below(2) == 0 ? "data:image/png;base64,iVBORw0=" : "https://example.com/a.png?b=c";
      parts.push_back({{"type", "image_url"}, {"image_url", {{"url", url}}}});
    }
    messages.push_back({{"role", "user"}, {"content", parts}});
    json assistant{{"role", "assistant"}, {"content", dice.text()}};
    json results = json::array();
    for (std::size_t i = dice.below(3); i > 0; --i) {
      const std::string id = "call_" + std::to_string(calls++);
      assistant["tool_calls"].push_back(
          {{"id", id}, {"type", "function"}, {"function", {{"name", "f"}, {"arguments", dice.object().dump()}}}});
      results.push_back({{"role", "tool"}, {"tool_call_id", id}, {"content", dice.text()}});
    }
    messages.push_back(assistant);
    for (const json& result : results) messages.push_back(result);
  }
  // Anthropic holds results and the user's next words in one message: the next turn begins with parts again.
  messages.push_back({{"role", "user"},
                      {"content", json::array({{{"type", "text"}, {"text", dice.text()}},
                                               {{"type", "text"}, {"text", dice.text()}}})}});
  return messages;
}

json with_lists(json messages) {
  for (json& message : messages) {
    if (message["role"] == "user" && message["content"].is_string()) {
      message["content"] = json::array({{{"type", "text"}, {"text", message["content"]}}});
    }
  }
  return messages;
}

TEST(RoundTrip, RequestsKeepTextsToolsCallsResultsAndImages) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Dice dice(seed);
    const json request{{"model", "m"},
                       {"messages", conversation(dice)},
                       {"tools",
                        {{{"type", "function"},
                          {"function", {{"name", "f"}, {"description", dice.text()}, {"parameters", dice.object()}}}}}},
                       {"tool_choice", "required"},
                       {"parallel_tool_calls", false},
                       {"max_tokens", 100},
                       {"temperature", 0.5},
                       {"stop", {"x"}},
                       {"user", dice.text()}};
    const auto there = translate(weir::openai_chat::codec(), weir::anthropic::codec(), request.dump(), {.model = "m"});
    ASSERT_EQ(there.refused, "") << seed;
    EXPECT_TRUE(there.dropped.empty());
    const auto back =
        translate(weir::anthropic::codec(), weir::openai_chat::codec(), there.encoded.body, {.model = "m"});
    ASSERT_EQ(back.refused, "") << seed;
    json result = back.body;
    result["messages"] = with_lists(result["messages"]);
    EXPECT_EQ(result, request) << seed;
  }
}

TEST(RoundTrip, RepliesKeepTextsAndCalls) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Dice dice(seed);
    json message{{"role", "assistant"}, {"content", dice.text()}, {"refusal", nullptr}};
    for (std::size_t i = 0; i < dice.below(3); ++i) {
      message["tool_calls"].push_back({{"id", "c" + std::to_string(i)},
                                       {"type", "function"},
                                       {"function", {{"name", "f"}, {"arguments", dice.object().dump()}}}});
    }
    const std::string finish = message.contains("tool_calls") ? "tool_calls" : "stop";
    const json reply{
        {"id", "x"},
        {"created", 1700000000},
        {"object", "chat.completion"},
        {"model", "m"},
        {"choices", {{{"index", 0}, {"message", message}, {"logprobs", nullptr}, {"finish_reason", finish}}}}};
    const json there = weir::test::reply_in(weir::openai_chat::codec(), weir::anthropic::codec(), reply.dump());
    json back = weir::test::reply_in(weir::anthropic::codec(), weir::openai_chat::codec(), there.dump());
    back.erase("usage");
    EXPECT_EQ(back, reply) << seed;
  }
}

}  // namespace
