#include "net/event.hpp"

#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weir::net {
namespace {

awaitable<void> sleep_on(Event& event, std::string& said, std::string name) {
  co_await event.wait();
  said += name;
}

TEST(Event, WakesTheSleeperInsideNotify) {
  fakes::TurnedWorker worker;
  Event event;
  std::string said;
  bool done = false;
  worker.start(sleep_on(event, said, "a"), done);
  EXPECT_TRUE(event.awaited());
  EXPECT_EQ(said, "");
  event.notify();
  EXPECT_EQ(said, "a");
  EXPECT_FALSE(event.awaited());
  worker.until([&] { return done; });
}

TEST(Event, ANotifyWithoutASleeperIsNotKept) {
  fakes::TurnedWorker worker;
  Event event;
  event.notify();
  std::string said;
  bool done = false;
  worker.start(sleep_on(event, said, "a"), done);
  EXPECT_EQ(said, "");
  event.notify();
  EXPECT_EQ(said, "a");
}

awaitable<void> sleep_twice(Event& event, int& woken) {
  co_await event.wait();
  ++woken;
  co_await event.wait();  // again, from inside the notify that woke it
  ++woken;
}

TEST(Event, TheSleeperMaySleepAgainAtOnce) {
  fakes::TurnedWorker worker;
  Event event;
  int woken = 0;
  bool done = false;
  worker.start(sleep_twice(event, woken), done);
  event.notify();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(event.awaited());
  event.notify();
  EXPECT_EQ(woken, 2);
  EXPECT_FALSE(event.awaited());
}

awaitable<void> hold(Event& event, std::shared_ptr<int>) {
  co_await event.wait();
  ADD_FAILURE() << "nobody notified";
}

TEST(Event, ADestroyedOneLetsItsSleeperGo) {
  fakes::TurnedWorker worker;
  const auto held = std::make_shared<int>(1);
  bool done = false;
  {
    Event event;
    worker.start(hold(event, held), done);
    EXPECT_EQ(held.use_count(), 2);
  }
  worker.settle();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace weir::net
