#include "net/sse_scanner.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using namespace std::string_literals;
using Texts = std::vector<std::string>;
using Parsed = std::vector<std::pair<std::string, std::string>>;  // event, data

/// A relay: gets the stream in portions, gives out whole events, holds back the rest.
class Relay {
 public:
  void feed(std::string_view bytes) {
    held_.append(bytes);
    held_.shrink_to_fit();  // moves the buffer, so that a sanitizer sees a view kept too long
    while (const auto event = scanner_.next(held_)) {
      raw_.emplace_back(*event);
      held_.erase(0, event->size());
    }
  }

  Texts end() {
    if (const auto rest = scanner_.at_end(held_); !rest.empty()) raw_.emplace_back(rest);
    return raw_;
  }

  const Texts& so_far() const { return raw_; }

 private:
  SseScanner scanner_;
  std::string held_;
  Texts raw_;
};

Texts split(std::string_view stream) {
  Relay relay;
  relay.feed(stream);
  return relay.end();
}

Parsed parse(const Texts& raw_events) {
  Parsed parsed;
  std::string scratch;
  for (const auto& raw : raw_events) {
    const auto fields = parse_sse_event(raw, scratch);
    if (!fields.comment_only) parsed.emplace_back(fields.event, fields.data);
  }
  return parsed;
}

std::string joined(const Texts& texts) {
  std::string all;
  for (const auto& text : texts) all += text;
  return all;
}

/// Byte by byte and in two halves at each place: the same events, and every byte once.
void expect_same_however_cut(std::string_view stream, const Parsed& expected) {
  EXPECT_EQ(parse(split(stream)), expected) << stream;
  Relay slow;
  for (char c : stream) slow.feed({&c, 1});
  EXPECT_EQ(joined(slow.end()), stream);
  Relay again;
  for (char c : stream) again.feed({&c, 1});
  EXPECT_EQ(parse(again.end()), expected) << stream;
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Relay relay;
    relay.feed(stream.substr(0, cut));
    relay.feed(stream.substr(cut));
    const auto raw = relay.end();
    EXPECT_EQ(joined(raw), stream) << cut;
    EXPECT_EQ(parse(raw), expected) << "cut at " << cut << " of " << stream;
  }
}

TEST(SseScanner, SplitsAtBlankLines) {
  EXPECT_EQ(split("data: a\n\ndata: b\n\n"), (Texts{"data: a\n\n", "data: b\n\n"}));
  EXPECT_EQ(split("data: a\r\n\r\ndata: b\r\n\r\n"), (Texts{"data: a\r\n\r\n", "data: b\r\n\r\n"}));
  EXPECT_EQ(split("data: a\r\rdata: b\r\r"), (Texts{"data: a\r\r", "data: b\r\r"}));
  EXPECT_EQ(split("data: a\n\r\ndata: b\r\n\ndata: c\n\rdata: d\r\r\ndata: e\r\n\r"),
            (Texts{"data: a\n\r\n", "data: b\r\n\n", "data: c\n\r", "data: d\r\r\n", "data: e\r\n\r"}));
}

TEST(SseScanner, HoldsBackWhatIsNotWhole) {
  Relay relay;
  relay.feed("data: a\n");
  EXPECT_TRUE(relay.so_far().empty());
  relay.feed("\ndata: [DO");
  EXPECT_EQ(relay.so_far(), Texts{"data: a\n\n"});
  relay.feed("NE]\n\n");
  EXPECT_EQ(relay.end(), (Texts{"data: a\n\n", "data: [DONE]\n\n"}));
}

TEST(SseScanner, LastEventWithoutBlankLineIsLeftAtTheEnd) {  // SEMANTICS 13
  EXPECT_EQ(split("data: a\n\ndata: b\n"), (Texts{"data: a\n\n", "data: b\n"}));
  EXPECT_EQ(split("data: a\n\ndata: b"), (Texts{"data: a\n\n", "data: b"}));
  EXPECT_EQ(split("data: a\n\ndata: b\r"), (Texts{"data: a\n\n", "data: b\r"}));
  EXPECT_EQ(split(""), Texts{});
}

TEST(SseScanner, EventThatEndsWithCarriageReturnAtTheEndOfTheBufferIsNotHeldBack) {
  for (auto stream : {"data: a\r\r", "data: a\n\r", "data: a\r\n\r"}) {
    Relay relay;
    relay.feed(stream);
    EXPECT_EQ(relay.so_far(), Texts{stream});
  }
}

TEST(SseScanner, LineFeedThatFollowsLaterIsNoEventOfItsOwn) {
  Relay relay;
  relay.feed("data: a\r\n\r");
  relay.feed("\n");
  EXPECT_EQ(relay.so_far(), Texts{"data: a\r\n\r"});
  relay.feed("data: b\r\n\r");
  relay.feed("\ndata: c\r\n\r\n");
  EXPECT_EQ(relay.end(), (Texts{"data: a\r\n\r", "\ndata: b\r\n\r", "\ndata: c\r\n\r\n"}));
  EXPECT_EQ(parse(relay.so_far()), (Parsed{{"", "a"}, {"", "b"}, {"", "c"}}));
}

TEST(SseScanner, SameEventsHoweverTheBytesAreCut) {
  expect_same_however_cut("data: a\n\ndata:b\n\n", {{"", "a"}, {"", "b"}});
  expect_same_however_cut("data: a\r\n\r\n: ping\r\n\r\ndata: b\r\n\r\n", {{"", "a"}, {"", "b"}});
  expect_same_however_cut("data: a\r\rdata: b\r\r\rdata: c\r", {{"", "a"}, {"", "b"}, {"", "c"}});
  expect_same_however_cut("data: a\n\r\ndata: b\r\n\ndata: c\n\rdata: d\r\r\n",
                          {{"", "a"}, {"", "b"}, {"", "c"}, {"", "d"}});
  expect_same_however_cut(
      "\xEF\xBB\xBF"
      "data: \xC3\xA9\xF0\x9F\x99\x82\n\ndata: [DONE]\n\n",
      {{"", "\xC3\xA9\xF0\x9F\x99\x82"}, {"", "[DONE]"}});
  expect_same_however_cut("event: ping\ndata: {}\n\nevent:error\ndata:1\r\ndata: 2\rdata\n\n",
                          {{"ping", "{}"}, {"error", "1\n2\n"}});
  expect_same_however_cut("id: 1\nretry: 5\n\n:\n\n\n\n\r\n", {});
}

TEST(SseScanner, MillionsOfSmallReadsAndOtherLineEndsAreNotQuadratic) {
  const auto begin = std::chrono::steady_clock::now();
  std::string stream = "data: " + std::string(1'000'000, 'x');
  SseScanner scanner;
  for (std::size_t i = 0; i < stream.size(); ++i) ASSERT_FALSE(scanner.next(std::string_view(stream).substr(0, i)));
  std::string carriage_returns;
  for (int i = 0; i < 500'000; ++i) carriage_returns += "a\r";
  std::string scratch;
  SseScanner other;
  EXPECT_FALSE(other.next(carriage_returns));
  EXPECT_TRUE(parse_sse_event(carriage_returns, scratch).comment_only);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << "it would be an hour";
}

TEST(ParseSseEvent, OneDataLineIsAViewIntoTheEvent) {
  const auto raw = "data: {\"a\":1}\n\n"s;
  std::string scratch = "untouched";
  const auto fields = parse_sse_event(raw, scratch);
  EXPECT_EQ(fields.data, "{\"a\":1}");
  EXPECT_EQ(fields.data.data(), raw.data() + 6);
  EXPECT_EQ(scratch, "untouched");
  EXPECT_FALSE(fields.comment_only);
}

TEST(ParseSseEvent, FieldsAsTheStandardHasThem) {
  const auto parsed = [](std::string_view raw) {
    static std::string scratch;
    const auto fields = parse_sse_event(raw, scratch);
    return std::string(fields.event) + "|" + std::string(fields.data) + (fields.comment_only ? "|-" : "");
  };
  EXPECT_EQ(parsed("data:a\n\n"), "|a");
  EXPECT_EQ(parsed("data:  a \n\n"), "| a ");
  EXPECT_EQ(parsed("data\n\n"), "|");
  EXPECT_EQ(parsed("data:\n\n"), "|");
  EXPECT_EQ(parsed("data: \n\n"), "|");
  EXPECT_EQ(parsed("data:a\ndata: b\r\ndata:\rdata\n\n"), "|a\nb\n\n");
  EXPECT_EQ(parsed("event: x\nevent: y\ndata: a:b\n\n"), "y|a:b");
  EXPECT_EQ(parsed("event: ping\n\n"), "ping|");
  EXPECT_EQ(parsed(": comment\n\n"), "||-");
  EXPECT_EQ(parsed("\n"), "||-");
  EXPECT_EQ(parsed(""), "||-");
  EXPECT_EQ(parsed("Data: a\n database: b\ndatabase: c\n\n"), "||-");
  EXPECT_EQ(parsed("\xEF\xBB\xBF"
                   "data: a\n\n"),
            "|a");
  EXPECT_EQ(parsed("data: last, without blank line"), "|last, without blank line");
}

}  // namespace
}  // namespace weir::net
