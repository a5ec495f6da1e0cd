#include "api/places.hpp"

#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

namespace weir::api {
namespace {

using namespace std::chrono_literals;

class PlacesTest : public testing::Test {
 protected:
  struct Waiting {
    Interrupt interrupt;
    std::optional<bool> got;
  };
  std::unique_ptr<Waiting> wait(Places& places, std::chrono::milliseconds longest = 10s) {
    auto waiting = std::make_unique<Waiting>();
    worker.start(places.wait(*worker, waiting->interrupt, longest), waiting->got);
    return waiting;
  }
  fakes::TurnedWorker worker;
};

TEST_F(PlacesTest, AreTakenUntilThereAreNoMore) {
  Places places(2);
  EXPECT_TRUE(places.try_take() && places.try_take());
  EXPECT_TRUE(places.full());
  EXPECT_FALSE(places.try_take());
  places.leave();
  EXPECT_FALSE(places.full());
  EXPECT_TRUE(places.try_take());
}

TEST_F(PlacesTest, GoToTheFirstInTheLineAndNobodyOvertakes) {
  Places places(1);
  EXPECT_TRUE(places.try_take());
  const auto first = wait(places), second = wait(places);
  EXPECT_EQ(places.waiting(), 2U);
  places.leave();
  EXPECT_FALSE(places.try_take()) << "there is a line";
  worker.settle();
  EXPECT_EQ(first->got, true);
  EXPECT_FALSE(second->got);
  places.leave();
  worker.settle();
  EXPECT_EQ(second->got, true);
  EXPECT_EQ(places.waiting(), 0U);
  EXPECT_TRUE(places.full());
  places.leave();
  EXPECT_TRUE(places.try_take());
}

TEST_F(PlacesTest, AreNotWaitedForLongerThanAllowed) {
  Places places(1);
  EXPECT_TRUE(places.try_take());
  const auto hasty = wait(places, 50s), patient = wait(places, 1000s);
  worker.skip(30s);
  worker.settle();
  EXPECT_FALSE(hasty->got);
  worker.skip(21s);
  worker.settle();
  EXPECT_EQ(hasty->got, false);
  EXPECT_EQ(places.waiting(), 1U);
  places.leave();
  worker.settle();
  EXPECT_EQ(patient->got, true);
}

TEST_F(PlacesTest, AreNotGivenToWhoLeft) {
  Places places(1);
  EXPECT_TRUE(places.try_take());
  const auto gone = wait(places), here = wait(places);
  gone->interrupt.fire(InterruptReason::client_left);
  gone->interrupt.fire(InterruptReason::client_left);
  worker.settle();
  EXPECT_EQ(gone->got, false);
  places.leave();
  worker.settle();
  EXPECT_EQ(here->got, true);
  const auto never = std::make_unique<Waiting>();
  never->interrupt.fire(InterruptReason::client_left);
  EXPECT_FALSE(worker.run(places.wait(*worker, never->interrupt, 10s)));
}

TEST_F(PlacesTest, APlaceThatCameInTheSameMomentAsTheLeavingIsKept) {
  Places places(1);
  EXPECT_TRUE(places.try_take());
  auto waiting = std::make_unique<Waiting>();
  worker.start(places.wait(*worker, waiting->interrupt, 10s), waiting->got);
  places.leave();  // given, but the worker has not heard of it
  waiting->interrupt.fire(InterruptReason::client_left);
  worker.settle();
  EXPECT_EQ(waiting->got, true) << "whoever has it must leave it";
  EXPECT_TRUE(places.full());
}

TEST_F(PlacesTest, AreFreeAgainAtTheEndOfTheirScope) {
  Places places(1);
  {
    Place place(places);
    EXPECT_TRUE(place.try_take());
    Place other(places);
    EXPECT_FALSE(other.try_take());
  }
  EXPECT_FALSE(places.full());
  Place place(places);
  EXPECT_TRUE(place.try_take());
  place.leave();
  place.leave();
  EXPECT_FALSE(places.full());
}

/// Workers that take, wait and leave all the time: never more places than there are, and none is lost.
TEST(Places, HoldBetweenThreads) {
  constexpr std::size_t kMost = 3;
  constexpr int kCalls = 2000;
  Places places(kMost);
  std::atomic<std::size_t> inside{0}, most{0}, served{0};
  std::vector<std::unique_ptr<net::Worker>> workers;
  std::vector<std::thread> threads;
  const auto call = [&](net::Worker& worker) -> awaitable<void> {
    for (int i = 0; i < kCalls; ++i) {
      Interrupt interrupt;
      Place place(places);
      if (!place.try_take() && !co_await place.wait(worker, interrupt, 60s)) co_return;
      const std::size_t now = inside.fetch_add(1) + 1;
      std::size_t seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      co_await net::asio::post(worker.executor(), net::use_awaitable);
      inside.fetch_sub(1);
      served.fetch_add(1);
    }
  };
  for (std::size_t i = 0; i < 2; ++i) {
    workers.push_back(std::make_unique<net::Worker>(i));
    for (int j = 0; j < 8; ++j) workers.back()->spawn("call", call(*workers.back()));
  }
  for (auto& worker : workers) threads.emplace_back([&worker = *worker] { worker.io().run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 2U * 8 * kCalls);
  EXPECT_LE(most, kMost);
  EXPECT_EQ(places.waiting(), 0U);
  for (std::size_t i = 0; i < kMost; ++i) EXPECT_TRUE(places.try_take());
}

}  // namespace
}  // namespace weir::api
