#include "dialects/openai_completions/codec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "dialects/openai_chat/codec.hpp"
#include "unit/dialects/transcode.hpp"

namespace {

using namespace weir::vocabulary;
using nlohmann::json;
using weir::openai_completions::codec;
using weir::test::data_of;
using weir::test::reply_in;
using weir::test::transcode;
using weir::test::translate;

const Codec& chat() {
  return weir::openai_chat::codec();
}

TEST(Completions, ThePromptBecomesTheUsersMessage) {
  const auto out =
      translate(codec(), chat(),
                R"({"model":"m","prompt":"Once\n","max_tokens":16,"temperature":0.70,"stop":"x","n":2,"echo":true,
    "best_of":1,"suffix":"end","stream":true})",
                {.model = "gpt"});
  ASSERT_EQ(out.refused, "");
  EXPECT_EQ(out.body,
            json::parse(R"({"model":"gpt","messages":[{"role":"user","content":"Once\n"}],"temperature":0.7,"n":2,
    "stop":["x"],"max_tokens":16,"stream":true,"stream_options":{"include_usage":true}})"));
  EXPECT_EQ(out.dropped.header_value(), "echo, suffix");
}

TEST(Completions, OnlyOnePromptAsText) {
  EXPECT_EQ(translate(codec(), chat(), R"({"prompt":["a"]})", {.model = "m"}).refused, "");
  for (const char* prompt : {R"(["a","b"])", "[1,2]", "[[1]]", "1", "[]", "null"}) {
    const auto refused = codec().decode_request(R"({"prompt":)" + std::string(prompt) + "}");
    ASSERT_FALSE(refused) << prompt;
    EXPECT_EQ(refused.error().param, "prompt") << prompt;
  }
}

TEST(Completions, AReplyInThisShape) {
  const json reply = reply_in(chat(), codec(), R"({"id":"c1","created":5,"model":"gpt","choices":[{"index":0,
    "message":{"role":"assistant","content":" upon\n"},"finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":1}})");
  EXPECT_EQ(reply["object"], "text_completion");
  EXPECT_EQ(reply["choices"],
            json::parse(R"([{"text":" upon\n","index":0,"logprobs":null,"finish_reason":"length"}])"));
  EXPECT_EQ(reply["usage"]["total_tokens"], 3);
}

TEST(Completions, TheBytesOfAStream) {
  ReplyContext context = weir::test::kContext;
  context.include_usage = false;
  const std::string head = R"({"id":"c1","object":"chat.completion.chunk","created":5,"model":"gpt","choices":)";
  const std::string out =
      transcode(chat(), codec(),
                {{"", head + R"([{"index":0,"delta":{"role":"assistant","content":" u"},"finish_reason":null}]})"},
                 {"", head + R"([{"index":0,"delta":{},"finish_reason":"stop"}]})"},
                 {"", head + R"([],"usage":{"prompt_tokens":2,"completion_tokens":1}})"},
                 {"", "[DONE]"}},
                {}, context);
  EXPECT_EQ(
      out,
      R"(data: {"id":"c1","object":"text_completion","created":5,"model":"gpt","choices":[{"text":" u","index":0,"logprobs":null,"finish_reason":null}]})"
      "\n\n"
      R"(data: {"id":"c1","object":"text_completion","created":5,"model":"gpt","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]})"
      "\n\ndata: [DONE]\n\n");
}

TEST(Completions, Semantics12AnErrorEndsTheStreamWithoutDone) {
  const std::string out =
      transcode(chat(), codec(), {{"", R"({"error":{"message":"busy","type":"overloaded_error"}})"}});
  EXPECT_EQ(json::parse(data_of(out).back())["error"]["message"], "busy");
}

}  // namespace
