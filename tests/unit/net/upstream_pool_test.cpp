#include "net/upstream_pool.hpp"

#include "fakes/loopback.hpp"
#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using Leased = UpstreamPool::Leased;

awaitable<void> read(Connection& link, std::size_t room) {
  co_await link.more(room);
}

class UpstreamPoolTest : public testing::Test {
 protected:
  UpstreamPoolTest() {
    address->host = "127.0.0.1";
    address->port = listener.port();
    pool = std::make_shared<UpstreamPool>(*worker, resolver, address);
  }
  Leased lease(bool fresh = false) { return worker.run(pool->lease(interrupt, attempt, fresh)); }
  std::size_t open() const { return address->open.load(); }

  fakes::TurnedWorker worker;
  fakes::LoopbackListener listener;
  Resolver resolver{*worker};
  std::shared_ptr<UpstreamAddress> address = std::make_shared<UpstreamAddress>();
  std::shared_ptr<UpstreamPool> pool;
  Interrupt interrupt;
  Attempt attempt;
};

TEST_F(UpstreamPoolTest, ConnectsAndTimesThePhases) {
  Leased leased = lease();
  ASSERT_TRUE(leased.connection);
  EXPECT_FALSE(leased.reused);
  EXPECT_EQ(leased.failure, Failure::none);
  EXPECT_EQ(leased.phase, Phase::none);
  EXPECT_EQ(open(), 1U);
  EXPECT_GT(attempt.duration_of(Phase::connect), Duration::zero());
  EXPECT_EQ(attempt.duration_of(Phase::tls), Duration::zero());
  fakes::Peer peer = listener.accept();
  EXPECT_TRUE(worker.run((*leased.connection)->write("hello")));
  worker.until([&] { return peer.got() == "hello"; });
  leased.connection.reset();  // not given back: closed
  EXPECT_EQ(open(), 0U);
  EXPECT_EQ(pool->idle(), 0U);
  worker.until([&] { return peer.ended(); });
}

TEST_F(UpstreamPoolTest, ReusesTheLastOneGivenBack) {
  Leased one = lease(), two = lease();
  Connection* const first = &**one.connection;
  Connection* const second = &**two.connection;
  pool->give_back(std::move(one.connection));
  pool->give_back(std::move(two.connection));
  EXPECT_EQ(pool->idle(), 2U);
  EXPECT_EQ(open(), 2U);
  Leased again = lease();
  EXPECT_TRUE(again.reused);
  EXPECT_EQ(&**again.connection, second);
  Leased older = lease();
  EXPECT_EQ(&**older.connection, first);
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(open(), 2U);
}

TEST_F(UpstreamPoolTest, AReusedOneStillCarriesBytes) {
  Leased leased = lease();
  fakes::Peer peer = listener.accept();
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(worker.run((*leased.connection)->write("ask")));
    worker.until([&] { return peer.got() == "ask"; });
    peer.forget();
    peer.send("answer");
    worker.run(read(**leased.connection, 100));
    EXPECT_EQ((*leased.connection)->input().view(), "answer");
    (*leased.connection)->input().consume(6);
    pool->give_back(std::move(leased.connection));
    worker.settle();
    leased = lease();
    ASSERT_TRUE(leased.reused);
  }
}

TEST_F(UpstreamPoolTest, AFreshLeaseDoesNotTakeAnIdleOne) {
  Leased one = lease();
  pool->give_back(std::move(one.connection));
  Leased fresh = lease(true);
  EXPECT_FALSE(fresh.reused);
  EXPECT_EQ(pool->idle(), 1U);
  EXPECT_EQ(open(), 2U);
}

TEST_F(UpstreamPoolTest, PeersMayCloseIdleOnesInAnyOrder) {
  std::vector<std::size_t> order{0, 1, 2};
  do {
    std::vector<Leased> leases;
    std::vector<fakes::Peer> peers;
    for (int i = 0; i < 3; ++i) {
      leases.push_back(lease(true));
      peers.push_back(listener.accept());
    }
    for (Leased& leased : leases) pool->give_back(std::move(leased.connection));
    std::size_t left = 3;
    for (const std::size_t closed : order) {
      ASSERT_EQ(pool->idle(), left);
      peers[closed].close();
      --left;
      worker.until([&] { return pool->idle() == left; });
      ASSERT_EQ(open(), left);
    }
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(UpstreamPoolTest, OfThreeIdleOnesTheTwoThatStayAreAlive) {
  for (std::size_t closed = 0; closed < 3; ++closed) {
    std::vector<Leased> leases;
    std::vector<fakes::Peer> peers;
    for (int i = 0; i < 3; ++i) {
      leases.push_back(lease(true));
      peers.push_back(listener.accept());
    }
    for (Leased& leased : leases) pool->give_back(std::move(leased.connection));
    peers[closed].close();
    worker.until([&] { return pool->idle() == 2; });
    for (int i = 0; i < 2; ++i) {
      const auto left = pool->take_idle();
      ASSERT_TRUE(left);
      EXPECT_FALSE((**left).ended());
    }
    EXPECT_EQ(open(), 0U);
  }
}

TEST_F(UpstreamPoolTest, UpkeepClosesTheOldAndTheRestIsStillWatched) {
  address->idle = 0ms;
  std::vector<Leased> leases;
  std::vector<fakes::Peer> peers;
  for (int i = 0; i < 4; ++i) {
    leases.push_back(lease());
    peers.push_back(listener.accept());
  }
  const auto next_moment = [] {
    const TimePoint now = Clock::now();
    while (Clock::now() == now) {
    }
    return Clock::now();
  };
  pool->give_back(std::move(leases[0].connection));
  pool->give_back(std::move(leases[1].connection));
  const TimePoint between = next_moment();
  next_moment();
  pool->give_back(std::move(leases[2].connection));
  pool->give_back(std::move(leases[3].connection));
  pool->upkeep(between);
  EXPECT_EQ(pool->idle(), 2U);
  worker.until([&] { return peers[0].ended() && peers[1].ended(); });
  peers[3].close();
  worker.until([&] { return pool->idle() == 1; });
  peers[2].close();
  worker.until([&] { return pool->idle() == 0; });
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, WhatSpeaksUnaskedIsNotUsedAgain) {
  Leased leased = lease();
  fakes::Peer peer = listener.accept();
  Connection& link = **leased.connection;
  pool->give_back(std::move(leased.connection));
  peer.send("HTTP/1.1 408 too slow\r\n\r\n");
  worker.until([&] { return link.has_landed(); });
  EXPECT_EQ(pool->take_idle(), nullptr);
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, NothingIsTakenBackThatHasLeftovers) {
  Leased leased = lease();
  (*leased.connection)->input().append("left over");
  pool->give_back(std::move(leased.connection));
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(open(), 0U);
  leased = lease();
  (*leased.connection)->close();
  pool->give_back(std::move(leased.connection));
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, UpkeepClosesWhatWasIdleForTooLong) {
  address->idle = 10s;
  Leased one = lease(), two = lease(), three = lease();
  pool->give_back(std::move(one.connection));
  pool->give_back(std::move(two.connection));
  pool->upkeep(Clock::now() + 5s);
  EXPECT_EQ(pool->idle(), 2U);
  pool->upkeep(Clock::now() + 11s);
  EXPECT_EQ(pool->idle(), 0U);
  EXPECT_EQ(open(), 1U);
  pool->give_back(std::move(three.connection));
  pool->upkeep(Clock::now());
  EXPECT_EQ(pool->idle(), 1U);
}

TEST_F(UpstreamPoolTest, AtTheCapALeaseWaitsForOneGivenBack) {
  address->connections_max = 1;
  Leased first = lease();
  std::optional<Leased> second;
  worker.start(pool->lease(interrupt, attempt, false), second);
  EXPECT_FALSE(second.has_value());
  EXPECT_EQ(open(), 1U);
  pool->give_back(std::move(first.connection));
  worker.until([&] { return second.has_value(); });
  ASSERT_TRUE(second->connection);
  EXPECT_TRUE(second->reused);
  EXPECT_EQ(open(), 1U);
}

TEST_F(UpstreamPoolTest, AtTheCapAFreshLeaseTakesAnIdleOneRatherThanWait) {
  address->connections_max = 1;
  Leased first = lease();
  pool->give_back(std::move(first.connection));
  Leased fresh = lease(true);
  EXPECT_TRUE(fresh.connection);
  EXPECT_EQ(open(), 1U);
}

TEST_F(UpstreamPoolTest, WaitersAreServedInTheirOrder) {
  address->connections_max = 1;
  Leased held = lease();
  std::optional<Leased> one, two;
  Interrupt other;
  Attempt other_attempt;
  worker.start(pool->lease(interrupt, attempt, false), one);
  worker.start(pool->lease(other, other_attempt, false), two);
  pool->give_back(std::move(held.connection));
  worker.until([&] { return one.has_value(); });
  EXPECT_FALSE(two.has_value());
  one->connection.reset();  // closed, not given back: upkeep lets the next one look
  pool->upkeep(Clock::now());
  worker.until([&] { return two.has_value(); });
  EXPECT_TRUE(two->connection);
  EXPECT_FALSE(two->reused);
}

TEST_F(UpstreamPoolTest, TheCapHoldsForAllPoolsOfTheAddress) {
  address->connections_max = 1;
  const auto other_pool = std::make_shared<UpstreamPool>(*worker, resolver, address);
  Leased first = lease();
  std::optional<Leased> second;
  worker.start(other_pool->lease(interrupt, attempt, false), second);
  EXPECT_FALSE(second.has_value());
  other_pool->upkeep(Clock::now());
  EXPECT_FALSE(second.has_value());
  first.connection.reset();
  other_pool->upkeep(Clock::now());
  worker.until([&] { return second.has_value(); });
  EXPECT_TRUE(second->connection);
  EXPECT_EQ(open(), 1U);
}

TEST_F(UpstreamPoolTest, AWaitForAPlaceCanBeBrokenOff) {
  address->connections_max = 1;
  Leased held = lease();
  std::optional<Leased> waiting;
  worker.start(pool->lease(interrupt, attempt, false), waiting);
  interrupt.fire(InterruptReason::timeout_connect);
  worker.until([&] { return waiting.has_value(); });
  EXPECT_FALSE(waiting->connection);
  EXPECT_EQ(waiting->failure, Failure::gateway_busy);
  EXPECT_EQ(waiting->phase, Phase::resolve);
  EXPECT_EQ(open(), 1U);
  pool->give_back(std::move(held.connection));  // nobody waits any more
  EXPECT_EQ(pool->idle(), 1U);
}

TEST_F(UpstreamPoolTest, ARefusedConnectSaysWhereAndLeavesNoPlaceTaken) {
  listener.close();
  const Leased leased = lease();
  EXPECT_FALSE(leased.connection);
  EXPECT_EQ(leased.failure, Failure::upstream_unreachable);
  EXPECT_EQ(leased.phase, Phase::connect);
  EXPECT_NE(leased.message.find("127.0.0.1:" + std::to_string(address->port)), std::string::npos) << leased.message;
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, AnUnknownHostFailsInResolve) {
  address->host = "no such host";
  const Leased leased = lease();
  EXPECT_FALSE(leased.connection);
  EXPECT_EQ(leased.failure, Failure::upstream_unreachable);
  EXPECT_EQ(leased.phase, Phase::resolve);
  EXPECT_NE(leased.message.find("no such host"), std::string::npos);
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, OfSeveralAddressesOneThatListensIsFound) {
  address->host = "localhost";  // mostly ::1 and 127.0.0.1, of which only the second listens
  for (int i = 0; i < 4; ++i) {
    const Leased leased = lease(true);  // each begins with the next address
    EXPECT_TRUE(leased.connection) << leased.message;
  }
}

TEST_F(UpstreamPoolTest, ATlsHandshakeThatNeverComesCanBeBrokenOff) {
  address->tls = *make_client_tls("", false);
  std::optional<Leased> leased;
  worker.start(pool->lease(interrupt, attempt, false), leased);
  worker.until([&] { return listener.knocked(); });
  fakes::Peer peer = listener.accept();
  worker.until([&] { return !peer.got().empty(); });  // its hello
  EXPECT_FALSE(leased.has_value());
  interrupt.fire(InterruptReason::timeout_connect);
  worker.until([&] { return leased.has_value(); });
  EXPECT_FALSE(leased->connection);
  EXPECT_EQ(leased->phase, Phase::tls);
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, WhatIsNoTlsServerIsSaid) {
  address->tls = *make_client_tls("", false);
  std::optional<Leased> leased;
  worker.start(pool->lease(interrupt, attempt, false), leased);
  worker.until([&] { return listener.knocked(); });
  fakes::Peer peer = listener.accept();
  peer.send("HTTP/1.1 400 plain\r\n\r\n");
  worker.until([&] { return leased.has_value(); });
  EXPECT_FALSE(leased->connection);
  EXPECT_EQ(leased->failure, Failure::upstream_unreachable);
  EXPECT_EQ(leased->phase, Phase::tls);
  EXPECT_NE(leased->message.find("tls.ca"), std::string::npos) << leased->message;
  EXPECT_EQ(open(), 0U);
}

TEST_F(UpstreamPoolTest, ALeaseMayOutliveItsPool) {
  Leased leased = lease();
  pool.reset();
  leased.connection.reset();
  EXPECT_EQ(open(), 0U);
}

}  // namespace
}  // namespace weir::net
