#include "dialects/openai_chat/repair_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::openai_chat {
namespace {

TEST(RepairJson, WhatIsJsonStays) {
  for (const char* text : {"{}", " [1, 2] ", R"({"a": "```"})"}) EXPECT_EQ(repair_json(text), std::nullopt) << text;
}

TEST(RepairJson, FencesAndProseAreTakenOff) {
  EXPECT_EQ(repair_json("```json\n{\"a\": 1}\n```"), "{\"a\": 1}");
  EXPECT_EQ(repair_json("Here it is:\n\n{\"a\": 1}\n\nAnything else?"), "{\"a\": 1}");
  EXPECT_EQ(repair_json("```\n[1, 2]\n```\nDone."), "[1, 2]");
}

TEST(RepairJson, CommasBeforeAClosingBracketGo) {
  EXPECT_EQ(repair_json(R"({"a": [1, 2, ], "b": {"c": 3,},})"), R"({"a": [1, 2 ], "b": {"c": 3}})");
  EXPECT_EQ(repair_json("{\"a\": 1,\n}"), "{\"a\": 1\n}");
}

TEST(RepairJson, TextsAreNotTouched) {
  EXPECT_EQ(repair_json(R"(x {"a": ",}", "b": "\",]"})"), R"({"a": ",}", "b": "\",]"})");
  EXPECT_EQ(repair_json(R"(x {"n": 1.10e5, "big": 123456789012345678})"),
            R"({"n": 1.10e5, "big": 123456789012345678})");
}

TEST(RepairJson, TheLongestPieceIsMeant) {
  EXPECT_EQ(repair_json(R"(As in [1] and {x}: {"a": [1, 2]} and [3])"), R"({"a": [1, 2]})");
}

TEST(RepairJson, NothingElseIsGuessed) {
  for (const char* text : {"", "no JSON", "{", "{\"a\": 1", "{'a': 1}", "{a: 1}", "{\"a\": 1 \"b\": 2}", "{\"a\": NaN}",
                           "[1,,2]", "[,]x", "{\"a\": \"unclosed}", "\"text\"", "12", "]{"}) {
    EXPECT_EQ(repair_json(text), std::nullopt) << text;
  }
}

TEST(RepairJson, ManyBracketsAreNotTriedForEver) {
  EXPECT_EQ(repair_json(std::string(100'000, '[')), std::nullopt);
}

TEST(RepairJson, WhoAsksForJson) {
  EXPECT_TRUE(asks_for_json(R"({"model": "m", "response_format": {"type": "json_object"}})"));
  EXPECT_TRUE(asks_for_json(R"({"response_format": {"json_schema": {"type": "x"}, "type": "json_schema"}})"));
  for (const char* body : {"", "[]", R"({"response_format": {"type": "text"}})", R"({"response_format": null})",
                           R"({"messages": [{"response_format": {"type": "json_object"}}]})"}) {
    EXPECT_FALSE(asks_for_json(body)) << body;
  }
}

TEST(RepairJson, OnlyTheContentOfAReplyChanges) {
  const std::string before = R"({"id":"x","n":1.10,"choices":[{"index":0,"message":{"role":"assistant","content":)";
  const std::string after = R"(},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})";
  EXPECT_EQ(repair_reply(before + R"("```json\n{\"a\": \"ä\\n\",}\n```")" + after),
            before + R"("{\"a\": \"ä\\n\"}")" + after);
  EXPECT_EQ(repair_reply(before + R"("{}")" + after), std::nullopt);
  EXPECT_EQ(repair_reply(before + "null" + after), std::nullopt);
  EXPECT_EQ(repair_reply("{"), std::nullopt);
  EXPECT_EQ(repair_reply(R"({"choices":[1,{"message":2}]})"), std::nullopt);
}

}  // namespace
}  // namespace weir::openai_chat
