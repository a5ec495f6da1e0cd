#include "net/body_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::net {
namespace {

ReplyHead scanned(std::string_view head) {
  ReplyHead reply;
  EXPECT_EQ(reply.scan(head, HeadLimits{}), ScanState::complete) << head;
  return reply;
}

constexpr std::string_view kSized = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n";
constexpr std::string_view kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kUntilEnd = "HTTP/1.1 200 OK\r\n\r\n";
constexpr std::string_view kChunks = "6\r\nhello \r\n5;name=value\r\nworld\r\n0\r\nTrailer: x\r\n\r\n";

struct Case {
  std::string_view head;
  std::string_view wire;
  bool needs_end;  ///< only the end of the connection ends it
};
const Case kCases[] = {{kSized, "hello world", false}, {kChunked, kChunks, false}, {kUntilEnd, "hello world", true}};

TEST(BodyReader, IsTheSameWhereverTheBytesWereCut) {
  for (const Case& each : kCases) {
    const ReplyHead head = scanned(each.head);
    for (std::size_t cut = 0; cut <= each.wire.size(); ++cut) {
      Buffer input;
      BodyReader body(head, false);
      for (const std::string_view part : {each.wire.substr(0, cut), each.wire.substr(cut)}) {
        EXPECT_FALSE(body.done() && !part.empty());
        input.append(part);
        body.advance(input, false);
        ASSERT_FALSE(body.failed()) << cut;
        ASSERT_EQ(input.size(), body.ready()) << cut;
      }
      EXPECT_EQ(body.done(), !each.needs_end);
      if (each.needs_end) body.advance(input, true);
      EXPECT_TRUE(body.done());
      EXPECT_FALSE(body.failed());
      EXPECT_EQ(input.view().substr(0, body.ready()), "hello world");
      EXPECT_EQ(body.reusable(), !each.needs_end);
      EXPECT_EQ(body.until_end(), each.needs_end);
    }
  }
}

TEST(BodyReader, ByteByByteWhileTheCallerTakesWhatIsReady) {
  for (const Case& each : kCases) {
    const ReplyHead head = scanned(each.head);
    Buffer input;
    BodyReader body(head, false);
    std::string got;
    for (const char c : each.wire) {
      input.append({&c, 1});
      body.advance(input, false);
      if (body.ready() >= 3 || body.done()) {
        got += input.view().substr(0, body.ready());
        input.consume(body.ready());
        body.consumed(body.ready());
        ASSERT_EQ(body.ready(), 0U);
      }
    }
    body.advance(input, each.needs_end);
    got += input.view().substr(0, body.ready());
    EXPECT_TRUE(body.done());
    EXPECT_EQ(got, "hello world");
  }
}

TEST(BodyReader, AnEarlyEndFailsAtEveryPlace) {
  for (const Case& each : kCases) {
    if (each.needs_end) continue;
    const ReplyHead head = scanned(each.head);
    for (std::size_t cut = 0; cut < each.wire.size(); ++cut) {
      for (const bool at_once : {true, false}) {
        Buffer input;
        BodyReader body(head, false);
        input.append(each.wire.substr(0, cut));
        if (!at_once) body.advance(input, false);
        body.advance(input, true);
        EXPECT_TRUE(body.failed()) << cut;
        EXPECT_FALSE(body.done()) << cut;
        EXPECT_FALSE(body.reusable()) << cut;
      }
    }
  }
}

TEST(BodyReader, TheLastBytesMayComeWithTheEnd) {
  for (const Case& each : kCases) {
    const ReplyHead head = scanned(each.head);
    Buffer input;
    BodyReader body(head, false);
    input.append(each.wire);
    body.advance(input, true);
    EXPECT_TRUE(body.done());
    EXPECT_FALSE(body.failed());
    EXPECT_EQ(input.view(), "hello world");
  }
}

TEST(BodyReader, WhatThePeerSentTooMuchForbidsReuse) {
  for (const Case& each : kCases) {
    if (each.needs_end) continue;
    const ReplyHead head = scanned(each.head);
    for (std::size_t cut = 0; cut <= each.wire.size(); ++cut) {
      Buffer input;
      BodyReader body(head, false);
      input.append(each.wire.substr(0, cut));
      body.advance(input, false);
      const bool whole_before = body.done();
      input.append(std::string(each.wire.substr(cut)) + "HTTP/1.1 200 OK");
      body.advance(input, false);
      EXPECT_TRUE(body.done());
      EXPECT_EQ(input.view().substr(0, body.ready()), "hello world");
      // Where the body had ended before, the pool sees the rest in the buffer.
      EXPECT_TRUE(!body.reusable() || (whole_before && input.size() > body.ready())) << cut;
    }
  }
}

TEST(BodyReader, NoBodyForHeadAndForStatusesWithoutOne) {
  const ReplyHead sized = scanned(kSized);
  BodyReader asked_by_head(sized, true);
  EXPECT_TRUE(asked_by_head.done());
  EXPECT_TRUE(asked_by_head.reusable());
  EXPECT_EQ(asked_by_head.announced(), 0U);
  for (const char* head : {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    const ReplyHead reply = scanned(head);
    BodyReader body(reply, false);
    EXPECT_TRUE(body.done()) << head;
    EXPECT_TRUE(body.reusable()) << head;
    Buffer input;
    body.advance(input, true);  // the connection may end now
    EXPECT_FALSE(body.failed()) << head;
    EXPECT_TRUE(body.done()) << head;
  }
}

TEST(BodyReader, SaysWhatIsAnnouncedStill) {
  const ReplyHead head = scanned(kSized);
  Buffer input;
  BodyReader body(head, false);
  EXPECT_EQ(body.announced(), 11U);
  input.append("hell");
  body.advance(input, false);
  EXPECT_EQ(body.announced(), 7U);
  const ReplyHead chunked = scanned(kChunked), open = scanned(kUntilEnd);
  EXPECT_EQ(BodyReader(chunked, false).announced(), 0U);
  EXPECT_EQ(BodyReader(open, false).announced(), 0U);
}

TEST(BodyReader, ChunksThatAreNoneFail) {
  const ReplyHead head = scanned(kChunked);
  for (const char* wire : {"x\r\n", "5\nhello", "5\r\nhelloX\r\n", " 5\r\nhello\r\n", "5 \r\n", "-1\r\n"}) {
    Buffer input;
    BodyReader body(head, false);
    input.append(wire);
    body.advance(input, false);
    EXPECT_TRUE(body.failed()) << wire;
    EXPECT_FALSE(body.reusable()) << wire;
    body.advance(input, true);
    EXPECT_FALSE(body.done()) << wire;
  }
}

}  // namespace
}  // namespace weir::net
