#include "dialects/openai_chat/reask.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <weir/base/hash.hpp>
#include "dialects/openai_chat/request_reader.hpp"

namespace weir::openai_chat {
namespace {

constexpr std::string_view kBefore =
    R"({"role":"system","content":"Answer in JSON."}, {"role":"user","content":"Who?"})";

std::string body_of(std::string_view answer, std::string_view last, std::string_view more = "") {
  return fmt::format(R"({{"model":"m","messages":[ {}, {} , {} ]{}}})", kBefore, answer, last, more);
}

ChatFacts facts_of(const std::string& body) {
  auto facts = read_request(body);
  EXPECT_TRUE(facts) << body;
  return facts ? std::move(*facts) : ChatFacts{};
}

bool looks_like_one(std::string_view answer, std::string_view last, std::string_view more = "") {
  const std::string body = body_of(answer, last, more);
  const auto facts = facts_of(body);
  EXPECT_TRUE(facts.reask_of == 0 || facts.reask_of == hash_bytes(kBefore));
  return facts.reask_of != 0;
}

constexpr std::string_view kJson = R"({"role":"assistant","content":"{\"who\": \"me\""})";
constexpr std::string_view kProse = R"({"role":"assistant","content":"It is {\"who\": 1}"})";
constexpr std::string_view kComplaint =
    R"({"role":"user","content":"json.decoder.JSONDecodeError: Expecting ',' delimiter"})";

TEST(Reask, IsTheCallBeforeWithItsAnswerAndAComplaintAboutItsForm) {
  EXPECT_TRUE(looks_like_one(kJson, kComplaint));
  // The hash is the one that the earlier call has, also when its client wrote its array with other spaces around.
  const std::string earlier = fmt::format(R"({{"model":"m","messages":[{}]}})", kBefore);
  EXPECT_EQ(facts_of(body_of(kJson, kComplaint)).reask_of, facts_of(earlier).prompt_hash);
}

TEST(Reask, IsNotTheNextTurnOfAConversation) {
  EXPECT_FALSE(looks_like_one(kJson, R"({"role":"user","content":"And who is she? Answer in JSON."})"));
  EXPECT_FALSE(looks_like_one(kProse, kComplaint)) << "a program's error that somebody asks about";
  EXPECT_FALSE(looks_like_one(R"({"role":"user","content":"{}"})", kComplaint)) << "that was no answer";
  EXPECT_FALSE(looks_like_one(kJson, R"({"role":"assistant","content":"invalid json"})"));
  EXPECT_EQ(facts_of(fmt::format(R"({{"model":"m","messages":[{}]}})", kBefore)).reask_of, 0U) << "two messages";
}

TEST(Reask, AnyAnswerWillDoWhereTheCallAsksForAForm) {
  EXPECT_TRUE(looks_like_one(kProse, kComplaint, R"(,"response_format":{"type":"json_object"})"));
  EXPECT_TRUE(looks_like_one(kProse, kComplaint, R"(,"text":{"format":{"type":"json_schema","name":"a"}})"));
  EXPECT_FALSE(looks_like_one(kProse, kComplaint, R"(,"response_format":{"type":"text"})"));
  EXPECT_FALSE(looks_like_one(kProse, kComplaint, R"(,"tool_choice":{"type":"auto"})"));
  // As instructor asks again.
  EXPECT_TRUE(looks_like_one(
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"P","arguments":"{}"}}]})",
      R"({"role":"tool","tool_call_id":"c","name":"P","content":"Validation Error found:\n1 validation error for P\nRecall the function correctly, fix the errors"})",
      R"(,"tool_choice":{"type":"function","function":{"name":"P"}})"));
}

TEST(Reask, AnswersInJsonAreKnownByTheirBeginning) {
  for (const std::string_view content :
       {R"("{")", R"("  [1")", R"("\n{\n")", R"("```json\n{}```")", R"("```\n{}```")",
        R"([{"type":"text","text":"{\"a\":1}"}])", R"([{"type":"output_text","text":" [1, 2"}])"}) {
    EXPECT_TRUE(looks_like_one(fmt::format(R"({{"role":"assistant","content":{}}})", content), kComplaint)) << content;
  }
  for (const std::string_view content :
       {R"("```python\n{}```")", R"("Here: {}")", R"("")", R"(null)", R"([{"type":"text","text":"no"}])"}) {
    EXPECT_FALSE(looks_like_one(fmt::format(R"({{"role":"assistant","content":{}}})", content), kComplaint)) << content;
  }
}

TEST(Reask, ComplaintsAreKnownByTheirWords) {
  for (const std::string_view text :
       {"1 validation error for Person", "That was INVALID JSON, try again", R"(line\nUnexpected token < in JSON at)",
        "Expecting value: line 1 column 1 (char 0)", "I could not parse your answer", "(failed to parse)",
        R"(\"ValidationError\": age)", "Completion did not satisfy the constraints", "does not match the schema"}) {
    EXPECT_TRUE(complains_of_form(text)) << text;
  }
  for (const std::string_view text : {"", "Answer in valid JSON", "Write a parser", "xinvalid json",
                                      "expecting a value", R"(\\)", R"(\)", "What is a token?", "VALIDATION"}) {
    EXPECT_FALSE(complains_of_form(text)) << text;
  }
}

TEST(Reask, OfALongLastMessageBothEndsAreLookedAt) {
  const auto last = [](std::string_view head, std::string_view tail) {
    return fmt::format(R"({{"role":"user","content":"{}{}{}"}})", head, std::string(60'000, 'x'), tail);
  };
  EXPECT_TRUE(looks_like_one(kJson, last("parse error: ", "")));
  EXPECT_TRUE(looks_like_one(kJson, last("", " is not valid JSON.")));
  EXPECT_FALSE(looks_like_one(kJson, last("", "")));
}

}  // namespace
}  // namespace weir::openai_chat
