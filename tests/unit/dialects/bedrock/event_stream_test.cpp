#include "dialects/bedrock/event_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fakes/event_message.hpp"

namespace weir::bedrock {
namespace {

using namespace std::string_literals;

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  }
  return bytes;
}

// The framing's published vectors: empty_message, payload_no_headers, payload_one_str_header.
const std::string kEmpty = unhex("000000100000000005c248eb7d98c8ff");
const std::string kNoHeaders = unhex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
const std::string kOneHeader = unhex(
    "0000003d0000002007fd83960c636f6e74656e742d74797065070010"
    "6170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1");
// A header of each type; read back with botocore.
const std::string kAllHeaders = unhex(
    "0000008d000000707c51da760474727565000566616c736501046279746502ff0573686f727403fffe03696e740400000007046c6f6e670500"
    "00"
    "01000000000005627974657306000300616206737472696e6707000474657874047768656e080000000000845fed0269640900010203040506"
    "0708090a0b0c0d0e0f7b27666f6f273a27626172277d2b43346e");

std::string problem_of(std::string_view bytes) {
  const auto message = next_event_message(bytes);
  return message ? "" : message.error().message;
}

TEST(EventStream, PublishedVectors) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  const auto empty = next_event_message(kEmpty);
  ASSERT_TRUE(empty && *empty);
  EXPECT_EQ((*empty)->raw, kEmpty);
  EXPECT_EQ((*empty)->payload, "");
  const auto bare = next_event_message(kNoHeaders);
  ASSERT_TRUE(bare && *bare);
  EXPECT_EQ((*bare)->payload, "{'foo':'bar'}");
  const auto one = next_event_message(kOneHeader);
  ASSERT_TRUE(one && *one);
  EXPECT_EQ((*one)->payload, "{'foo':'bar'}");
  EXPECT_EQ(event_header_text((*one)->headers, "content-type"), "application/json");
  EXPECT_EQ(event_header_text((*one)->headers, ":event-type"), "");
}

TEST(EventStream, AHeaderOfEachType) {
  const auto message = next_event_message(kAllHeaders);
  ASSERT_TRUE(message && *message);
  const auto headers = (*message)->headers;
  const std::vector<std::pair<std::string, std::string>> expected{{"true", ""},
                                                                  {"false", ""},
                                                                  {"byte", "\xff"},
                                                                  {"short", "\xff\xfe"},
                                                                  {"int", "\0\0\0\7"s},
                                                                  {"long", "\0\0\1\0\0\0\0\0"s},
                                                                  {"bytes", "\0ab"s},
                                                                  {"string", "text"},
                                                                  {"when", "\0\0\0\0\0\x84\x5f\xed"s},
                                                                  {"id", "\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"s}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto header = find_event_header(headers, expected[i].first);
    ASSERT_TRUE(header) << expected[i].first;
    EXPECT_EQ(header->type, static_cast<EventHeaderType>(i));
    EXPECT_EQ(header->value, expected[i].second);
  }
  EXPECT_EQ(event_header_text(headers, "bytes"), "") << "another type is no text";
}

TEST(EventStream, CutAtEveryByteItWaitsAndThenIsTheSame) {
  const std::string stream = kOneHeader + kAllHeaders + kEmpty;
  for (std::size_t cut = 0; cut < kOneHeader.size(); ++cut) {
    const std::string front = stream.substr(0, cut);
    const auto message = next_event_message(front);
    ASSERT_TRUE(message) << cut;
    EXPECT_FALSE(*message) << cut;
  }
  std::string_view rest = stream;
  std::vector<std::size_t> sizes;
  while (const auto message = next_event_message(rest).value()) {
    sizes.push_back(message->raw.size());
    rest.remove_prefix(message->raw.size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{kOneHeader.size(), kAllHeaders.size(), kEmpty.size()}));
  EXPECT_TRUE(rest.empty());
}

TEST(EventStream, EachFlippedBitIsSeen) {
  for (std::size_t bit = 0; bit < kOneHeader.size() * 8; ++bit) {
    std::string flipped = kOneHeader;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(problem_of(flipped), "") << bit;
  }
}

TEST(EventStream, ALengthPastTheLimitIsRefusedBeforeItsBytesCome) {
  const std::string whole = fakes::event_message({}, std::string(kEventMessageBytesMax, 'x'));
  EXPECT_EQ(problem_of(whole.substr(0, 12)), "an event is larger than 4 MiB");
}

TEST(EventStream, LengthsThatCannotBeAndHeadersThatAreNone) {
  EXPECT_EQ(problem_of(fakes::event_prelude(15, 0)), "an event's lengths contradict each other");
  EXPECT_EQ(problem_of(fakes::event_prelude(32, 17)), "an event's lengths contradict each other");
  for (const auto& headers :
       {"\0"s, "\1"s, "\1a"s, "\1a\x0a"s, "\1a\4\0\0\0"s, "\1a\7\0\5text"s, "\1a\7\0"s, "\0\0"s}) {
    EXPECT_EQ(problem_of(fakes::event_message_of(headers, "{}")), "a header of an event is malformed");
  }
}

}  // namespace
}  // namespace weir::bedrock
