#include "app/upgrade/legacy.hpp"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

TEST(Legacy, IsReadAsItWasWritten) {
  const Legacy written{{{"127.0.0.1:8080", 3}, {"[::1]:8443", 4}, {"127.0.0.1:9090", 5}}, 6};
  EXPECT_EQ(written.text(), "channel=6 3=127.0.0.1:8080 4=[::1]:8443 5=127.0.0.1:9090");
  const Legacy read = Legacy::parse(written.text());
  EXPECT_EQ(read.text(), written.text());
  EXPECT_EQ(read.channel, 6);
}

TEST(Legacy, ListenersAreFoundByAddressAndOnlyOnce) {
  Legacy legacy = Legacy::parse("channel=9 3=127.0.0.1:8080 4=[::1]:8080 5=127.0.0.1:8081");
  EXPECT_EQ(legacy.take("127.0.0.1", 9999), -1);
  EXPECT_EQ(legacy.take("0.0.0.0", 8080), -1) << "another address is opened anew";
  EXPECT_EQ(legacy.take("localhost", 8080), 3);
  EXPECT_EQ(legacy.take("127.0.0.1", 8080), -1);
  EXPECT_EQ(legacy.take("0:0:0:0:0:0:0:1", 8080), 4);
  ASSERT_EQ(legacy.listeners.size(), 1U) << "what nobody took is left to be closed";
  EXPECT_EQ(legacy.listeners[0].descriptor, 5);
}

TEST(Legacy, WordsOfAnotherVersionAreSkipped) {
  const Legacy legacy = Legacy::parse("since=7 channel=4 budget 3=127.0.0.1:8080 x=1  -2=127.0.0.1:1 8x=127.0.0.1:2");
  EXPECT_EQ(legacy.text(), "channel=4 3=127.0.0.1:8080");
  EXPECT_LT(Legacy::parse("").channel, 0);
  EXPECT_LT(Legacy::parse("channel=x").channel, 0);
}

TEST(Legacy, AnAddressHasOneSpelling) {
  EXPECT_EQ(address_text("localhost", 1), "127.0.0.1:1");
  EXPECT_EQ(address_text("::0", 1), "[::]:1");
  EXPECT_EQ(address_text("0:0:0:0:0:0:0:1", 80), "[::1]:80");
}

TEST(Messages, ComeOutWholeHoweverTheyAreCut) {
  const std::vector<Message> sent{{Note::failed, "listen: \"x\"\nis in use"}, {Note::ready, ""}, {Note::owner, ""}};
  std::string bytes;
  for (const Message& one : sent) bytes += frame_of(one);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Messages messages;
    std::vector<Message> got;
    for (const std::string_view part : {std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}) {
      messages.feed(part);
      while (auto one = messages.next()) got.push_back(std::move(*one));
    }
    EXPECT_EQ(got, sent) << "cut at " << cut;
  }
}

TEST(Messages, NotesOfAnotherVersionAreSkipped) {
  Messages messages;
  messages.feed(frame_of({static_cast<Note>('B'), "counters"}) + frame_of({Note::owner, ""}));
  EXPECT_EQ(messages.next(), (Message{Note::owner, ""}));
  EXPECT_EQ(messages.next(), std::nullopt);
  EXPECT_FALSE(messages.broken());
}

TEST(Messages, WhatIsNoFrameBreaksTheChannel) {
  Messages messages;
  messages.feed("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(messages.next(), std::nullopt);
  EXPECT_TRUE(messages.broken());
  messages.feed(frame_of({Note::ready, ""}));
  EXPECT_EQ(messages.next(), std::nullopt);
}

TEST(Messages, ALongTextIsCutOff) {
  Messages messages;
  messages.feed(frame_of({Note::failed, std::string(Messages::kTextBytesMax + 1, 'x')}));
  const auto got = messages.next();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->text.size(), Messages::kTextBytesMax);
  EXPECT_FALSE(messages.broken());
}

}  // namespace
}  // namespace weir::app
