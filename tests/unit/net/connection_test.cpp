#include "net/connection.hpp"

#include "fakes/loopback.hpp"
#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::net {
namespace {

struct Watching final : Connection::Watcher {
  void peer_left() override { ++left; }
  int left = 0;
};

/// more() is to be awaited at once.
awaitable<void> read(Connection& link, std::size_t room) {
  co_await link.more(room);
}

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    fakes::Pair pair(*worker);
    connection = std::make_shared<Connection>(std::move(pair.socket));
    peer = std::move(pair.peer);
  }
  ~ConnectionTest() override {
    if (connection) {
      connection->stop_watching();
      connection->close();
    }
    connection.reset();
    worker.settle();
  }
  Connection& link() { return *connection; }

  fakes::TurnedWorker worker;
  std::shared_ptr<Connection> connection;
  fakes::Peer peer;
};

TEST_F(ConnectionTest, ReadsWhatComesAndThenTheEnd) {
  peer.send("hello");
  worker.run(read(link(), 100));
  EXPECT_EQ(link().input().view(), "hello");
  EXPECT_FALSE(link().ended());
  peer.send(" world");
  worker.run(read(link(), 100));
  EXPECT_EQ(link().input().view(), "hello world");
  peer.close();
  worker.run(read(link(), 100));
  EXPECT_TRUE(link().ended());
  EXPECT_FALSE(link().error());
  EXPECT_EQ(link().input().view(), "hello world");
}

TEST_F(ConnectionTest, AResetIsAnEndWithAnError) {
  peer.reset();
  worker.run(read(link(), 100));
  EXPECT_TRUE(link().ended());
  EXPECT_EQ(link().error(), asio::error::connection_reset);
}

TEST_F(ConnectionTest, MoreWaitsUntilSomethingComes) {
  bool done = false;
  worker.start(read(link(), 100), done);
  EXPECT_FALSE(done);
  peer.send("x");
  worker.until([&] { return done; });
  EXPECT_EQ(link().input().view(), "x");
}

TEST_F(ConnectionTest, BehindACallBytesAreKeptAside) {
  link().input().append("request");
  const char* const at = link().input().data();
  Watching watching;
  link().watch(&watching);
  peer.send("early");
  worker.until([&] { return link().has_landed(); });
  EXPECT_EQ(link().input().view(), "request");  // views into it stand still
  EXPECT_EQ(link().input().data(), at);
  link().take_landed();
  EXPECT_EQ(link().input().view(), "requestearly");
  EXPECT_FALSE(link().has_landed());
  EXPECT_EQ(watching.left, 0);
}

TEST_F(ConnectionTest, WhatLandedComesWithTheNextMore) {
  link().watch(nullptr);
  peer.send("early");
  worker.until([&] { return link().has_landed(); });
  bool done = false;
  worker.start(read(link(), 100), done);
  EXPECT_TRUE(done);
  EXPECT_EQ(link().input().view(), "early");
}

TEST_F(ConnectionTest, MoreTakesOverTheReadBehindTheCall) {
  Watching watching;
  link().watch(&watching);
  link().stop_watching();
  bool done = false;
  worker.start(read(link(), 100), done);
  EXPECT_FALSE(done);
  peer.send("first");
  worker.until([&] { return done; });
  EXPECT_EQ(link().input().view(), "first");
  peer.send("second");
  worker.run(read(link(), 100));
  EXPECT_EQ(link().input().view(), "firstsecond");
}

TEST_F(ConnectionTest, ManyBytesBehindACallAllArriveInOrder) {
  std::string sent;
  for (int i = 0; i < 5000; ++i) sent += std::to_string(i) + ",";
  link().watch(nullptr);
  peer.send(sent);
  worker.until([&] { return link().has_landed(); });
  while (link().input().size() < sent.size()) worker.run(read(link(), 1000));
  EXPECT_EQ(link().input().view(), sent);
}

TEST_F(ConnectionTest, TheWatcherHearsOnceThatThePeerLeft) {
  Watching watching;
  link().watch(&watching);
  peer.close();
  worker.until([&] { return watching.left != 0; });
  worker.settle();
  EXPECT_EQ(watching.left, 1);
  EXPECT_TRUE(link().ended());
}

TEST_F(ConnectionTest, WhoStoppedWatchingHearsNothing) {
  Watching watching;
  link().watch(&watching);
  link().stop_watching();
  peer.close();
  worker.until([&] { return link().ended(); });
  EXPECT_EQ(watching.left, 0);
}

TEST_F(ConnectionTest, WakeEndsAWaitAndTheReadGoesOn) {
  bool done = false;
  worker.start(read(link(), 100), done);
  link().wake();
  worker.until([&] { return done; });
  EXPECT_TRUE(link().input().empty());
  EXPECT_FALSE(link().ended());
  peer.send("later");
  worker.run(read(link(), 100));
  EXPECT_EQ(link().input().view(), "later");
}

TEST_F(ConnectionTest, CloseWakesWhoReads) {
  bool done = false;
  worker.start(read(link(), 100), done);
  link().interrupt();
  worker.until([&] { return done; });
  EXPECT_TRUE(link().ended());
  EXPECT_FALSE(link().is_open());
  worker.until([&] { return peer.ended(); });
}

TEST_F(ConnectionTest, WritesPiecesInOneGo) {
  std::array<asio::const_buffer, 3> pieces{asio::buffer("head", 4), asio::buffer("", 0), asio::buffer("body", 4)};
  EXPECT_TRUE(worker.run(link().write(std::span<asio::const_buffer>(pieces))));
  worker.until([&] { return peer.got() == "headbody"; });
}

TEST_F(ConnectionTest, AWriteToASlowReaderWaitsAndCompletes) {
  std::string large;
  while (large.size() < (16U << 20)) large += std::to_string(large.size()) + ";";
  const std::string_view all = large;
  std::array<asio::const_buffer, 3> pieces{asio::buffer(all.substr(0, 100)), asio::buffer(all.substr(100, 9'000'000)),
                                           asio::buffer(all.substr(9'000'100))};
  std::optional<bool> written;
  worker.start(link().write(std::span<asio::const_buffer>(pieces)), written);
  EXPECT_FALSE(written.has_value());  // the kernel's buffers are full
  worker.until([&] { return peer.got().size() >= large.size(); });
  worker.until([&] { return written.has_value(); });
  EXPECT_TRUE(*written);
  EXPECT_TRUE(peer.got() == large);
}

TEST_F(ConnectionTest, CloseWakesWhoWrites) {
  const std::string large(16U << 20, 'x');
  std::optional<bool> written;
  worker.start(link().write(large), written);
  EXPECT_FALSE(written.has_value());
  link().close();
  worker.until([&] { return written.has_value(); });
  EXPECT_FALSE(*written);
}

TEST_F(ConnectionTest, APeerThatResetsEndsAWaitingWrite) {
  const std::string large(16U << 20, 'x');
  std::optional<bool> written;
  worker.start(link().write(large), written);
  EXPECT_FALSE(written.has_value());
  peer.reset();
  worker.until([&] { return written.has_value(); });
  EXPECT_FALSE(*written);
}

TEST_F(ConnectionTest, APeerThatLeftIsWrittenToInVain) {
  peer.reset();
  worker.run(read(link(), 1));
  EXPECT_FALSE(worker.run(link().write("x")));
}

TEST_F(ConnectionTest, TheEndOfSendingLeavesReadingOpen) {
  link().shutdown_send();
  worker.until([&] { return peer.ended(); });
  peer.send("still heard");
  worker.run(read(link(), 100));
  EXPECT_EQ(link().input().view(), "still heard");
}

TEST_F(ConnectionTest, OutlivesItsOwnerWhileAReadIsPending) {
  const std::weak_ptr<Connection> seen = connection;
  link().watch(nullptr);
  link().close();
  connection.reset();
  EXPECT_FALSE(seen.expired());
  worker.until([&] { return seen.expired(); });
}

}  // namespace
}  // namespace weir::net
