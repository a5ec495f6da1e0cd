#include "net/write_round.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>

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

  /// Each connection writes once when `go` is called; its result goes into results_.
  void prepare(std::string_view bytes) {
    results_.clear();
    gates_.clear();
    for (const auto& connection : near_) {
      Event& gate = *gates_.emplace_back(std::make_unique<Event>());
      asio::co_spawn(
          io_,
          [](Connection& on, Event& begin, std::string text, std::vector<bool>& results) -> awaitable<void> {
            co_await begin.wait();
            results.push_back(co_await on.write(text));
          }(*connection, gate, std::string(bytes), results_),
          asio::detached);
    }
    run();
  }
  /// All write within one handler; `look` sees what has left by then.
  void go(std::size_t count, const std::function<void()>& look) {
    asio::post(io_, [&, count] {
      for (std::size_t i = 0; i < count; ++i) gates_[i]->notify();
      look();
    });
    run();
  }

  std::string received(std::size_t i) {
    std::array<char, 256> bytes;
    ErrorCode error;
    far_[i].non_blocking(true);
    const std::size_t size = far_[i].read_some(asio::buffer(bytes), error);
    return {bytes.data(), size};
  }

  /// As a loop that has many small writes at once: each question stands for one.
  void make_busy() {
    while (!round().gathers()) {
    }
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  WriteRound& round() { return WriteRound::of(io_.get_executor()); }

  asio::io_context io_{1};
  Acceptor acceptor_;
  std::vector<Socket> far_;
  std::vector<std::shared_ptr<Connection>> near_;
  std::vector<std::unique_ptr<Event>> gates_;
  std::vector<bool> results_;
};

TEST_F(WriteRoundTest, AQuietLoopWritesAtOnce) {
  connect(1);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(round().gathers());
}

TEST_F(WriteRoundTest, ABusyLoopWritesAtTheEndOfItsRound) {
  connect(4);
  make_busy();
  ASSERT_TRUE(round().gathers());
  prepare("answer");
  go(4, [this] {
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(received(i), "");
    EXPECT_TRUE(results_.empty());
  });
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(received(i), "answer");
  EXPECT_EQ(results_, std::vector<bool>(4, true));
}

TEST_F(WriteRoundTest, ARowThatIsLongEnoughIsWrittenWithinTheRound) {
  connect(40);
  make_busy();
  prepare("y");
  go(40, [this] {
    EXPECT_EQ(received(0), "y");
    EXPECT_EQ(received(31), "y");
    EXPECT_EQ(received(32), "");
    EXPECT_TRUE(results_.empty());
  });
  EXPECT_EQ(received(39), "y");
  EXPECT_EQ(results_, std::vector<bool>(40, true));
}

TEST_F(WriteRoundTest, AClosedConnectionAmongThemFailsAlone) {
  connect(3);
  make_busy();
  prepare("z");
  go(3, [this] { near_[1]->close(); });
  EXPECT_EQ(results_, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(received(2), "z");
}

TEST_F(WriteRoundTest, RoundsOfOneWriteEndTheGathering) {
  connect(4);
  make_busy();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(round().gathers());
    prepare("1");
    go(1, [] {});
  }
  EXPECT_FALSE(round().gathers());
}

TEST_F(WriteRoundTest, WhoeverGoesOnMayWriteAgain) {
  connect(2);
  make_busy();
  prepare("once ");
  bool again = false;
  asio::co_spawn(
      io_,
      [](Connection& on, Event& begin, bool& done) -> awaitable<void> {
        co_await begin.wait();
        done = co_await on.write("first ") && co_await on.write("second");
      }(*near_[0], *gates_.emplace_back(std::make_unique<Event>()), again),
      asio::detached);
  run();
  std::swap(gates_[0], gates_[2]);
  go(2, [] {});
  EXPECT_TRUE(again);
  EXPECT_EQ(received(0), "first second");
}

TEST_F(WriteRoundTest, ALoopThatIsDestroyedWithWaitingWritesLeavesNothingBehind) {
  connect(2);
  make_busy();
  prepare("lost");
  asio::post(io_, [this] {
    for (const auto& gate : gates_) gate->notify();
    io_.stop();
  });
  io_.restart();
  io_.poll();
  EXPECT_TRUE(results_.empty());  // a sanitizer looks at the rest
}

}  // namespace
}  // namespace weir::net
