#include "base/json_writer.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string decimal(std::int64_t value, unsigned digits) {
  char memory[64];
  JsonWriter writer{memory, memory + sizeof memory};
  writer.decimal(value, digits);
  return {memory, static_cast<std::size_t>(writer.at() - memory)};
}

TEST(JsonString, LeavesPlainTextAlone) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("support"), "\"support\"");
  EXPECT_EQ(json_string("gpt-4o-mini-2024-07-18"), "\"gpt-4o-mini-2024-07-18\"");
}

TEST(JsonString, EscapesAtEachPlaceOfAWord) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (const auto& [bad, escaped] : {std::pair{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\u000a"}, {'\0', "\\u0000"}}) {
      std::string text(20, 'x');
      text[at] = bad;
      const std::string expected = "\"" + std::string(at, 'x') + escaped + std::string(19 - at, 'x') + "\"";
      EXPECT_EQ(json_string(text), expected);
    }
  }
}

TEST(JsonString, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(json_string("grün \xF0\x9F\x8C\x8A"), "\"grün \xF0\x9F\x8C\x8A\"");
  EXPECT_EQ(json_string("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"") << "overlong";
  EXPECT_EQ(json_string("\xED\xA0\x80").find('\xED'), std::string::npos) << "surrogate";
  EXPECT_EQ(json_string("a\xE2\x82"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"") << "cut character";
}

TEST(JsonString, CutsBetweenCharacters) {
  char memory[64];
  JsonWriter writer{memory, memory + sizeof memory};
  writer.string("aü", 2);
  EXPECT_EQ(std::string_view(memory, 3), "\"a\"");
}

TEST(JsonWriter, NeverWritesPastItsEnd) {
  const std::string text = "a \"quoted\" and long enough text\n";
  for (std::size_t size = 0; size < 80; ++size) {
    std::string memory(size, '#');  // the sanitizer watches its end
    std::unique_ptr<char[]> exact{new char[size]};
    JsonWriter writer{exact.get(), exact.get() + size};
    writer.string(text);
    writer.number(INT64_MIN);
    writer.decimal(123'456'789, 9);
    writer.raw("tail");
    EXPECT_LE(writer.at(), exact.get() + size);
  }
}

TEST(JsonWriter, WritesDecimals) {
  EXPECT_EQ(decimal(0, 9), "0.000000000");
  EXPECT_EQ(decimal(1'500, 3), "1.500");
  EXPECT_EQ(decimal(12'345'000'000'123, 9), "12345.000000123");
  EXPECT_EQ(decimal(-7, 3), "-0.007");
}

TEST(ValidUtf8, ReplacesStrayBytes) {
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a\xEF\xBF\xBD"
            "b");
}

}  // namespace
}  // namespace weir
