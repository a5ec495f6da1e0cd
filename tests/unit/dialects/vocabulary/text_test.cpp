#include "dialects/vocabulary/text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "dialects/vocabulary/dropped.hpp"
#include "dialects/vocabulary/media.hpp"
#include "dialects/vocabulary/write.hpp"

namespace {

using namespace weir::vocabulary;

std::string quoted(const Text& text) {
  std::string out;
  text.append_quoted(out);
  return out;
}

TEST(Text, KeepsTheEscapesItCameWith) {
  const Text text = Text::escaped(R"(a\n\u00e9\/b)");
  EXPECT_EQ(quoted(text), R"("a\n\u00e9\/b")");
  EXPECT_EQ(text.str(), "a\n\xC3\xA9/b");
  EXPECT_TRUE(text == "a\n\xC3\xA9/b");
}

TEST(Text, EscapesWhatIsPlain) {
  EXPECT_EQ(quoted(Text::plain(R"({"a":1})")), R"("{\"a\":1}")");
  EXPECT_EQ(quoted(Text::owned("x\ty")), R"("x\u0009y")");
}

TEST(Text, OwnedTextsCanBeCopiedAndMoved) {
  Text first = Text::owned(std::string(64, 'a'));
  const Text copy = first;
  const Text moved = std::move(first);
  EXPECT_EQ(copy.bytes(), moved.bytes());
}

TEST(Media, ADataUrlIsSplitWithoutCopyingItsBase64) {
  const std::string url = R"(data:image\/png;base64,iVBORw0KGgo\/AAA=)";  // as PHP escapes it
  const auto media = media_of_url(Text::escaped(url));
  ASSERT_TRUE(media);
  EXPECT_EQ(media->source, Media::Source::base64);
  EXPECT_TRUE(media->media_type == "image/png");
  EXPECT_EQ(media->data.bytes().data(), url.data() + url.find("iVBOR"));
  EXPECT_EQ(media->data.str(), "iVBORw0KGgo/AAA=");
}

TEST(Media, ADataUrlWithoutBase64IsNone) {
  EXPECT_FALSE(media_of_url(Text::plain("data:text/plain,hello")));
  EXPECT_FALSE(media_of_url(Text::plain("data:image/png;base64")));
  EXPECT_EQ(media_of_url(Text::plain("https://example.com/a.png"))->source, Media::Source::url);
}

TEST(Writer, PutsCommasWhereTheyBelong) {
  std::string out = "data: ";
  Writer writer(out);
  writer.open_document();
  writer.key("a").integer(-1);
  writer.key("b").open_array();
  writer.string("x");
  writer.raw("{}");
  writer.open_object();
  writer.close_object();
  writer.close_array();
  writer.key("c").boolean(false);
  writer.close_object();
  EXPECT_EQ(out, R"(data: {"a":-1,"b":["x",{},{}],"c":false})");
}

TEST(Dropped, NamesEachFieldOnceAndStrictModeRefusesWithThem) {
  Dropped dropped;
  EXPECT_FALSE(dropped.refusal("anthropic"));
  dropped.add("seed");
  dropped.add("seed");
  dropped.add_unknown("my\r\nheader,x");
  EXPECT_EQ(dropped.header_value(), "seed, my__header_x");
  const auto refusal = dropped.refusal("anthropic");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->param, "seed");
  EXPECT_NE(refusal->message.find("seed"), std::string::npos);
}

TEST(Dropped, ACallerCannotFillAHeader) {
  Dropped dropped;
  for (int i = 0; i < 1000; ++i) dropped.add_unknown(std::string(200, 'a') + std::to_string(i) + "b");
  for (int i = 0; i < 1000; ++i) dropped.add_unknown(std::to_string(i));
  EXPECT_LT(dropped.header_value().size(), 2000U);
}

}  // namespace
