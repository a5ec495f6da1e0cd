#include "dialects/openai_chat/request_reader.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/limits.hpp>

#include "unit/dialects/simdjson_oracle.hpp"

namespace weir::openai_chat {
namespace {

const std::string kMessages = R"("messages":[{"role":"user","content":"hi"}])";

/// A body with model and messages and whatever else.
std::string chat(std::string_view more) {
  return R"({"model":"m",)" + kMessages + (more.empty() ? "" : "," + std::string{more}) + "}";
}

std::expected<ChatFacts, Refusal> read(std::string_view body) {
  auto facts = read_request(body);
  EXPECT_TRUE(json::simdjson_accepts(body) || !facts.has_value()) << body;
  return facts;
}

Refusal refusal_of(std::string_view body) {
  const auto facts = read(body);
  EXPECT_FALSE(facts.has_value()) << body;
  return facts ? Refusal{} : facts.error();
}

std::string at(std::string_view body, Span span) {
  return std::string{body.substr(span.begin, span.size())};
}

TEST(RequestReader, reads_what_weir_decides_on) {
  const std::string body =
      chat(R"("stream":true,"stream_options":{"include_usage":true},"metadata":{"task_type":"support","user_id":"u1"},)"
           R"("store":true,"user":"u2","n":2,"max_tokens":10,"max_completion_tokens":20)");
  const auto facts = read(body);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->model.view(), "m");
  EXPECT_EQ(at(body, facts->model_value), "\"m\"");
  EXPECT_TRUE(facts->stream);
  EXPECT_TRUE(facts->include_usage);
  EXPECT_TRUE(facts->store);
  EXPECT_EQ(facts->task_type->view(), "support");
  EXPECT_EQ(facts->user_id->view(), "u1");
  EXPECT_EQ(facts->user->view(), "u2");
  EXPECT_EQ(facts->n, 2);
  EXPECT_EQ(facts->max_tokens, 20);
  EXPECT_EQ(facts->tail_insert, body.size() - 1);
  EXPECT_EQ(facts->metadata_members, 2U);
}

TEST(RequestReader, takes_nothing_for_granted) {
  const auto facts = read(chat(""));
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->stream || facts->include_usage || facts->store);
  EXPECT_FALSE(facts->task_type || facts->user_id || facts->user || facts->n || facts->max_tokens);
  EXPECT_FALSE(facts->metadata.present());
  EXPECT_TRUE(facts->stream_options.empty());
}

TEST(RequestReader, null_is_as_good_as_absent) {
  const auto facts = read(chat(
      R"("stream":null,"stream_options":null,"store":null,"metadata":null,"user":null,"n":null,"max_tokens":null)"));
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->stream || facts->store || facts->user || facts->n || facts->max_tokens);
}

TEST(RequestReader, decodes_an_escaped_model_name) {
  const auto facts = read(R"({"model":"a\/b\u00e9\ud83d\ude00","messages":[]})");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->model.view(), "a/b\u00e9\U0001F600");
  const ChatFacts moved = *facts;
  EXPECT_EQ(moved.model.view(), "a/b\u00e9\U0001F600");
}

TEST(RequestReader, ignores_our_names_inside_messages) {
  const auto facts =
      read(R"({"messages":[{"model":"x","stream":true,"metadata":{"task_type":7},"model":"y"}],"model":"m"})");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->model.view(), "m");
  EXPECT_FALSE(facts->stream);
}

TEST(RequestReader, semantics_30_what_is_not_json_is_refused_and_says_where) {
  EXPECT_EQ(refusal_of(R"({"model":"m" "messages":[]})").message,
            "The body is not JSON: at byte 13, ',' or '}' was expected.");
  EXPECT_EQ(refusal_of(R"({"model":"m","messages":[)").message,
            "The body is not JSON: it ends after 25 bytes where a value was expected.");
  EXPECT_EQ(refusal_of("").message, "The body is empty; send a JSON object.");
  EXPECT_EQ(refusal_of("{\"model\":\"\xff\"}").message, "The body is not JSON: byte 10 is not part of UTF-8 text.");
  EXPECT_EQ(refusal_of("[1]").message, "The body must be a JSON object that begins with {.");
  EXPECT_EQ(refusal_of("7").code, "");
  EXPECT_EQ(refusal_of("{").code, "invalid_json");
}

TEST(RequestReader, semantics_30_hostile_bodies) {
  const std::string good = chat("");
  for (const std::string& body : {
           good + "}",
           good + good,
           good + ",",
           good + " x",
           "\xEF\xBB\xBF" + good,
           good + std::string(1, '\0'),
           std::string{"tru"},
           chat(R"("x":tru)"),
           chat(R"("x":[1,2})"),
           chat(R"("x":{"a":1])"),
           chat(R"("x":NaN)"),
           chat(R"("x":Infinity)"),
           chat(R"("x":-)"),
           chat(R"("x":01)"),
           chat(R"("x":1.)"),
           chat(R"("x":.5)"),
           chat(R"("x":1e)"),
           chat(R"("x":+1)"),
           chat(R"("x":0x10)"),
           chat(R"("x":1e999)"),
           chat(R"("x":-1e999)"),
           chat(R"("x":18446744073709551616)"),
           chat(R"("x":-9223372036854775809)"),
           chat(R"("x":'a')"),
           chat(R"("x":"\x")"),
           chat(R"("x":"\u12")"),
           chat(R"("x":"\ud800")"),
           chat(R"("x":"\udc00")"),
           chat(R"("x":"\ud800A")"),
           chat(R"("x":"\ud800\ud800")"),
           chat("\"x\":\"a\nb\""),
           chat("\"x\":\"a\tb\""),
           chat("\"x\":\"\x01\""),
           chat("\"x\":\"\xC0\x80\""),
           chat("\"x\":\"\xED\xA0\x80\""),
           chat("\"x\":\"\xF5\x80\x80\x80\""),
           chat("\"x\":\"\xE2\x82\""),
           chat(R"("x":1,)"),
           chat(R"(,"x":1)"),
           chat(R"("x" 1)"),
           chat(R"("x":)"),
           chat(R"(x:1)"),
           chat(R"("x":/**/1)"),
           chat(R"("x":1//)"),
           chat(R"("x":[1,])"),
           chat(R"("x":[,1])"),
           chat("\"x\":\f1"),
           chat("\"x\":\xC2\xA0"
                "1"),
           chat(R"("x":"a)"),
           chat(R"("x":nul)"),
           chat(R"("x":nulll)"),
           chat(R"("x":truefalse)"),
           chat(R"("x":1 2)"),
           std::string{"{\"model\":\"m\\"},
           std::string{"{\"model\":\"m\\u"},
           std::string{" "},
           std::string{"{]"},
       }) {
    const Refusal refusal = refusal_of(body);
    EXPECT_EQ(refusal.code, "invalid_json") << body << "\n" << refusal.message;
    EXPECT_EQ(refusal.failure, Failure::client_malformed);
  }
}

TEST(RequestReader, unusual_bodies_that_are_json) {
  for (const std::string& body : {
           " \r\n\t" + chat("") + " \n\t\r",
           chat(R"("x":1e308)"),
           chat(R"("x":1.7976931348623157e308)"),
           chat(R"("x":0e999999999999999999999999)"),
           chat(R"("x":1e-999999999999999999999999)"),
           chat(R"("x":0.)" + std::string(400, '0') + "1e401"),
           chat(R"("x":18446744073709551615)"),
           chat(R"("x":-9223372036854775808)"),
           chat(R"("x":-0)"),
           chat(R"("x":-0.0e-0)"),
           chat(R"("":"")"),
           chat(R"("x":"\ud83d\ude00\b\f\n\r\t\/\\\"\u0000")"),
           chat("\"x\":\"\x7f\""),
           chat(R"("x":1,"x":2)"),
           chat(R"("messages":[])"),
           chat(R"("modelx":1,"odel":2)"),
           chat(R"("x": [ ] , "y" : { } )"),
       }) {
    EXPECT_TRUE(read(body).has_value()) << body << "\n" << (read(body) ? "" : read(body).error().message);
  }
}

TEST(RequestReader, depth_is_bounded) {
  const auto nested = [](std::size_t depth, char open, char close) {
    std::string value;
    for (std::size_t i = 1; i < depth; ++i) value += open == '[' ? "[" : R"({"a":)";
    value += open == '[' ? "" : "1";
    for (std::size_t i = 1; i < depth; ++i) value += close;
    return R"({"model":"m","messages":[],"x":)" + (value.empty() ? "1" : value) + "}";
  };
  for (std::size_t depth = 120; depth < 135; ++depth) {
    EXPECT_EQ(read(nested(depth, '[', ']')).has_value(), depth <= limits::json_depth_max) << depth;
    EXPECT_EQ(read(nested(depth, '{', '}')).has_value(), depth <= limits::json_depth_max) << depth;
  }
  EXPECT_FALSE(read_request(std::string(10'000'000, '[')).has_value());
}

TEST(RequestReader, semantics_30_doubtful_spelling_of_a_key_we_act_on) {
  for (const std::string_view more : {
           R"("model":"m2")",
           R"("mod\u0065l":"m2")",
           R"("Model":"m2")",
           R"("MODEL":"m2")",
           R"("stream":true,"stream":false)",
           R"("Stream":true)",
           R"("str\u0065am":true)",
           "\"\u017Ftream\":true",
           "\"max_to\u212Aens\":1",
           R"("stream_options":{},"stream_options":{})",
           R"("Stream_Options":{})",
           R"("METADATA":{})",
           R"("metadata":{},"metadata":{})",
           R"("Store":true)",
           R"("USER":"x")",
           R"("N":1)",
           R"("n":1,"n":1)",
           R"("Max_Tokens":1)",
           R"("max_completion_Tokens":1)",
           R"("stream_options":{"include_usage":true,"include_usage":false})",
           R"("stream_options":{"Include_Usage":true})",
           R"("stream_options":{"include\u005fusage":true})",
           R"("metadata":{"task_type":"a","task_type":"b"})",
           R"("metadata":{"Task_Type":"a"})",
           R"("metadata":{"user_\u0069d":"a"})",
           R"("metadata":{"user_id":"a","USER_ID":"b"})",
           R"("\u006e":1)",
       }) {
    const Refusal refusal = refusal_of(chat(more));
    EXPECT_EQ(refusal.code, "duplicate_key") << more;
    EXPECT_FALSE(refusal.param.empty()) << more;
  }
  EXPECT_EQ(refusal_of(chat(R"("metadata":{"Task_Type":"a"})")).param, "metadata.task_type");
}

TEST(RequestReader, wrong_types_name_the_key) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"model":7,"messages":[]})", "model"},
      {R"({"model":null,"messages":[]})", "model"},
      {R"({"model":"m","messages":{}})", "messages"},
      {R"({"model":"m","messages":"hi"})", "messages"},
      {chat(R"("stream":"true")"), "stream"},
      {chat(R"("stream":1)"), "stream"},
      {chat(R"("stream_options":[])"), "stream_options"},
      {chat(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage"},
      {chat(R"("metadata":"x")"), "metadata"},
      {chat(R"("metadata":{"task_type":7})"), "metadata.task_type"},
      {chat(R"("metadata":{"task_type":null})"), "metadata.task_type"},
      {chat(R"("metadata":{"user_id":{}})"), "metadata.user_id"},
      {chat(R"("store":"yes")"), "store"},
      {chat(R"("user":7)"), "user"},
      {chat(R"("n":1.5)"), "n"},
      {chat(R"("n":"1")"), "n"},
      {chat(R"("n":18446744073709551615)"), "n"},
      {chat(R"("max_tokens":true)"), "max_tokens"},
      {chat(R"("max_completion_tokens":[1])"), "max_completion_tokens"},
  };
  for (const auto& [body, param] : cases) {
    const Refusal refusal = refusal_of(body);
    EXPECT_EQ(refusal.param, param) << body;
    EXPECT_EQ(refusal.code, "invalid_type") << body;
  }
}

TEST(RequestReader, what_is_missing_is_named) {
  EXPECT_EQ(refusal_of(R"({"messages":[]})").param, "model");
  EXPECT_EQ(refusal_of("{}").param, "model");
  EXPECT_EQ(refusal_of(R"({"model":"","messages":[]})").param, "model");
  EXPECT_EQ(refusal_of(R"({"model":"m"})").param, "messages");
  EXPECT_EQ(refusal_of(R"({"model":"m\r\nx: y","messages":[]})").code, "invalid_value");
}

TEST(RequestReader, semantics_29_a_large_body_is_read_without_a_copy_of_it) {
  const std::string image = R"({"model":"m","messages":[{"content":")" + std::string(10'000'000, 'A') + R"("}]})";
  std::string numbers = R"({"model":"m","messages":[0)";
  while (numbers.size() < 10'000'000) numbers += ",0";
  numbers += "]}";
  EXPECT_TRUE(read_request(image));
  EXPECT_TRUE(read_request(numbers));
  numbers.back() = ']';
  EXPECT_FALSE(read_request(numbers));
}

/// Small texts made of JSON's own pieces, mostly broken: our reader, simdjson's and nlohmann's must agree.
TEST(RequestReader, three_readers_agree_on_random_texts) {
  const std::vector<std::string> pieces{"{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "\"model\"",
                                        "\"m\"",
                                        "\"messages\"",
                                        "\"stream\"",
                                        "true",
                                        "false",
                                        "null",
                                        "1",
                                        "-0",
                                        "1.5e3",
                                        "1e400",
                                        "\"\\u0041\"",
                                        "\"\\ud800\"",
                                        " ",
                                        "\n",
                                        "\"a\xC3\xA9\"",
                                        "\"\xff\"",
                                        "\"metadata\"",
                                        "\"task_type\"",
                                        "\"store\"",
                                        "\\",
                                        "\"",
                                        "12345678901234567890",
                                        "[]",
                                        "{}",
                                        "-",
                                        "tru",
                                        "\"stream_options\"",
                                        "\"include_usage\"",
                                        "\"n\"",
                                        "\"Model\""};
  std::mt19937 dice{42};
  std::size_t passed = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string body = round % 2 == 0 ? R"({"model":"m","messages":[],)" : "{";
    const std::size_t count = dice() % 12;
    for (std::size_t i = 0; i < count; ++i) {
      if (i % 4 == 1 && dice() % 4 != 0) body += ":";
      if (i % 4 == 3 && dice() % 4 != 0) body += ",";
      body += pieces[dice() % pieces.size()];
    }
    if (dice() % 2 == 0) body += "}";
    const auto facts = read_request(body);
    if (facts || facts.error().code != "invalid_json") {
      ASSERT_TRUE(nlohmann::json::accept(body)) << body;
      ASSERT_TRUE(json::simdjson_accepts(body)) << body;
    }
    if (facts) ++passed;
  }
  EXPECT_GT(passed, 100U);
}

}  // namespace
}  // namespace weir::openai_chat
