#include "net/write_round.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/connection.hpp"

namespace weir::net {
namespace {

/// Some connections within one loop, and the far end of each.
class WriteRoundTest : public testing::Test {
 protected:
  WriteRoundTest() : acceptor_(io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  void connect(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Socket near(io_.get_executor());
      near.connect(acceptor_.local_endpoint());
      far_.push_back(acceptor_.accept(io_.get_executor()));
      near_.push_back(std::make_shared<Connection>(std::move(near)));
    }
  }

  void write(std::size_t i, std::string_view bytes, std::vector<bool>& results) {
    asio::co_spawn(
        io_,
        [](Connection& connection, std::string text, std::vector<bool>& into) -> awaitable<void> {
          into.push_back(co_await connection.write(text));
        }(*near_[i], std::string(bytes), results),
        asio::detached);
  }

  std::string received(std::size_t i) {
    std::array<char, 256> bytes;
    ErrorCode error;
    far_[i].non_blocking(true);
    const std::size_t size = far_[i].read_some(asio::buffer(bytes), error);
    return {bytes.data(), size};
  }

  /// As a loop that has many small writes at once.
  void make_busy() {
    std::vector<bool> results;
    for (int round = 0; round < 4; ++round) {
      for (std::size_t i = 0; i < near_.size(); ++i) write(i, "x", results);
      run();
    }
    for (std::size_t i = 0; i < near_.size(); ++i) received(i);
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  asio::io_context io_{1};
  Acceptor acceptor_;
  std::vector<Socket> far_;
  std::vector<std::shared_ptr<Connection>> near_;
};

TEST_F(WriteRoundTest, AQuietLoopWritesAtOnce) {
  connect(1);
  WriteRound& round = WriteRound::of(io_.get_executor());
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(round.gathers());
}

TEST_F(WriteRoundTest, ABusyLoopWritesAtTheEndOfItsRound) {
  connect(4);
  make_busy();
  ASSERT_TRUE(WriteRound::of(io_.get_executor()).gathers());
  std::vector<bool> results;
  for (std::size_t i = 0; i < 4; ++i) write(i, "answer " + std::to_string(i), results);
  // One handler each: those of the four coroutines come first, the round's end behind them.
  io_.restart();
  for (int i = 0; i < 4; ++i) io_.poll_one();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(received(i), "");
  EXPECT_TRUE(results.empty());
  io_.poll();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(received(i), "answer " + std::to_string(i));
  EXPECT_EQ(results, std::vector<bool>(4, true));
}

TEST_F(WriteRoundTest, ARowThatIsLongEnoughIsWrittenWithinTheRound) {
  connect(40);
  make_busy();
  std::vector<bool> results;
  for (std::size_t i = 0; i < 40; ++i) write(i, "y", results);
  io_.restart();
  for (int i = 0; i < 40; ++i) io_.poll_one();
  EXPECT_EQ(received(0), "y");
  EXPECT_EQ(received(31), "y");
  EXPECT_EQ(received(32), "");
  io_.poll();
  EXPECT_EQ(received(39), "y");
  EXPECT_EQ(results, std::vector<bool>(40, true));
}

TEST_F(WriteRoundTest, AClosedConnectionAmongThemFailsAlone) {
  connect(3);
  make_busy();
  std::vector<bool> results;
  for (std::size_t i = 0; i < 3; ++i) write(i, "z", results);
  io_.restart();
  for (int i = 0; i < 3; ++i) io_.poll_one();
  near_[1]->close();
  io_.poll();
  EXPECT_EQ(results, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(received(2), "z");
}

TEST_F(WriteRoundTest, RoundsOfOneWriteEndTheGathering) {
  connect(4);
  make_busy();
  std::vector<bool> results;
  for (int i = 0; i < 6; ++i) {
    write(0, "1", results);
    run();
  }
  EXPECT_FALSE(WriteRound::of(io_.get_executor()).gathers());
}

TEST_F(WriteRoundTest, ALoopThatIsDestroyedWithWaitingWritesLeavesNothingBehind) {
  connect(2);
  make_busy();
  std::vector<bool> results;
  for (std::size_t i = 0; i < 2; ++i) write(i, "lost", results);
  io_.restart();
  for (int i = 0; i < 2; ++i) io_.poll_one();
  EXPECT_TRUE(results.empty());  // the sanitizer looks at the rest
}

}  // namespace
}  // namespace weir::net
