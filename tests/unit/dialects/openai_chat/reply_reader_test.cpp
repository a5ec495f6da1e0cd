#include "dialects/openai_chat/reply_reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include <weir/exchange/limits.hpp>

#include "dialects/openai_chat/model_list.hpp"

namespace weir::openai_chat {
namespace {

std::string reply(std::string_view content) {
  return R"({"id":"c","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":")" +
         std::string{content} +
         R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,)"
         R"("prompt_tokens_details":{"cached_tokens":4}},"system_fingerprint":"fp"})";
}

TEST(ReplyReader, reads_usage_model_and_finish_at_every_size) {
  for (const std::size_t size : {std::size_t{5}, limits::read_at_once_bytes_max, std::size_t{3'000'000}}) {
    const std::string body = reply(std::string(size, 'a'));
    const auto facts = read_reply(body);
    ASSERT_TRUE(facts) << facts.error();
    EXPECT_EQ(facts->model, "gpt-4o-mini-2024-07-18");
    EXPECT_EQ(facts->finish_reason, "stop");
    EXPECT_EQ(facts->choices, 1U);
    EXPECT_EQ(facts->text_bytes, size);
    EXPECT_EQ(facts->usage, (Usage{.uncached = 15, .cache_read = 4, .output = 10, .reported = true}));
    EXPECT_EQ(body.substr(facts->usage_end), R"(},"system_fingerprint":"fp"})");
    EXPECT_FALSE(facts->error);
  }
}

TEST(ReplyReader, what_is_not_a_whole_object_is_malformed) {
  const std::string good = reply("hi");
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(read_reply(std::string_view{good}.substr(0, cut))) << cut;
  }
  for (const std::string& body :
       {std::string{}, std::string{" \n"}, std::string{"<html><body>502</body></html>"}, std::string{"[]"},
        std::string{"null"}, good + "}", good + good, "\xEF\xBB\xBF" + good, reply("\xff"), reply("\x01"),
        reply(std::string(300'000, 'a') + "\xff"), reply(std::string(300'000, 'a')) + "]"}) {
    EXPECT_FALSE(read_reply(body));
  }
  EXPECT_EQ(read_reply("").error(), "The provider's reply is empty.");
  EXPECT_EQ(read_reply("<!doctype html>").error(), "The provider's reply is a web page, not JSON.");
}

TEST(ReplyReader, sees_an_error_inside_a_200) {
  EXPECT_TRUE(read_reply(R"({"error":{"message":"overloaded","code":503}})")->error);
  EXPECT_TRUE(read_reply(R"({"error":"overloaded"})")->error);
  EXPECT_FALSE(read_reply(R"({"error":null,"choices":[]})")->error);
}

TEST(ReplyReader, a_reply_without_usage_reports_none) {
  const auto facts = read_reply(R"({"choices":[{"message":{"content":"four"},"finish_reason":null}],"usage":null})");
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->usage.reported);
  EXPECT_EQ(facts->text_bytes, 4U);
  EXPECT_EQ(facts->finish_reason, "");
}

TEST(ModelList, has_openais_shape) {
  const ListedModel models[]{{"gpt-4o-mini", "openai", 1}, {"a\"b", "demo", 0}};
  EXPECT_EQ(encode_model_list(models),
            R"({"object":"list","data":[{"id":"gpt-4o-mini","object":"model","created":1,"owned_by":"openai"},)"
            R"({"id":"a\"b","object":"model","created":0,"owned_by":"demo"}]})");
  EXPECT_EQ(encode_model_list({}), R"({"object":"list","data":[]})");
  EXPECT_EQ(encode_model(models[0]), R"({"id":"gpt-4o-mini","object":"model","created":1,"owned_by":"openai"})");
}

}  // namespace
}  // namespace weir::openai_chat
