#include "app/upgrade/predecessor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace weir::app {
namespace {

class PredecessorTest : public testing::Test {
 protected:
  PredecessorTest() {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    other_ = pair[0];
    leftover_ = dup(pair[0]);
    const std::string text = "channel=" + std::to_string(pair[1]) + " " + std::to_string(leftover_) + "=127.0.0.1:1";
    setenv(Legacy::kVariable, text.c_str(), 1);
    predecessor_ = std::make_unique<Predecessor>(io_);
  }
  ~PredecessorTest() override { leave(); }
  void leave() {
    if (other_ >= 0) close(std::exchange(other_, -1));
  }
  void run() {
    io_.restart();
    while (io_.poll() != 0) {
    }
  }
  std::string heard() const {
    char bytes[256];
    const ssize_t size = recv(other_, bytes, sizeof bytes, MSG_DONTWAIT);
    return {bytes, static_cast<std::size_t>(size > 0 ? size : 0)};
  }

  boost::asio::io_context io_;
  std::unique_ptr<Predecessor> predecessor_;
  int other_ = -1;
  int leftover_ = -1;
  int owned_ = 0;
};

TEST_F(PredecessorTest, OwnershipComesWhenItIsGiven) {
  EXPECT_TRUE(predecessor_->there());
  EXPECT_EQ(std::getenv(Legacy::kVariable), nullptr) << "it is not for the processes that this one starts";
  predecessor_->say_ready([this] { ++owned_; });
  EXPECT_EQ(heard(), frame_of({Note::ready, ""}));
  EXPECT_EQ(fcntl(leftover_, F_GETFD), -1) << "a listener that nobody took is closed";
  run();
  EXPECT_EQ(owned_, 0);
  const std::string given = frame_of({Note::owner, ""});
  EXPECT_EQ(send(other_, given.data(), given.size(), 0), static_cast<ssize_t>(given.size()));
  run();
  EXPECT_EQ(owned_, 1);
  leave();
  run();
  EXPECT_EQ(owned_, 1);
}

TEST_F(PredecessorTest, OwnershipComesWhenTheOtherDies) {
  predecessor_->say_ready([this] { ++owned_; });
  run();
  leave();
  run();
  EXPECT_EQ(owned_, 1);
}

TEST_F(PredecessorTest, AFailureIsToldInWords) {
  predecessor_->say_failed("listen: in use");
  EXPECT_EQ(heard(), frame_of({Note::failed, "listen: in use"}));
  close(leftover_);
}

TEST(Predecessor, WithoutOneAllIsOwnedAtOnce) {
  boost::asio::io_context io;
  unsetenv(Legacy::kVariable);
  Predecessor none(io);
  EXPECT_FALSE(none.there());
  EXPECT_EQ(none.take_listener("127.0.0.1", 8080), -1);
  none.say_failed("nobody hears it");
  int owned = 0;
  none.say_ready([&] { ++owned; });
  EXPECT_EQ(owned, 1);
}

TEST(Predecessor, AVariableThatIsNotOfAWeirIsIgnored) {
  boost::asio::io_context io;
  setenv(Legacy::kVariable, "nonsense 3=127.0.0.1:8080", 1);
  Predecessor none(io);
  EXPECT_FALSE(none.there());
  EXPECT_EQ(none.take_listener("127.0.0.1", 8080), -1);
}

}  // namespace
}  // namespace weir::app
