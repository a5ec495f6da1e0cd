#include "net/resolver.hpp"

#include "fakes/turned_worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace weir::net {
namespace {

class ResolverTest : public testing::Test {
 protected:
  fakes::TurnedWorker worker;
  Resolver resolver{*worker};
  Interrupt interrupt;
};

TEST_F(ResolverTest, AnAddressNeedsNoLookup) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    std::optional<Resolver::Answer> answer;
    worker.start(resolver.resolve(host, 8080, interrupt), answer);
    ASSERT_TRUE(answer.has_value()) << "at once";
    ASSERT_EQ(answer->endpoints.size(), 1U);
    EXPECT_EQ(answer->endpoints[0].address().to_string(), host);
    EXPECT_EQ(answer->endpoints[0].port(), 8080);
    EXPECT_EQ(answer->error, "");
  }
}

TEST_F(ResolverTest, LocalhostIsLoopbackAndRememberedForAnyPort) {
  const auto first = worker.run(resolver.resolve("localhost", 1, interrupt));
  ASSERT_FALSE(first.endpoints.empty()) << first.error;
  EXPECT_TRUE(std::ranges::all_of(first.endpoints, [](const auto& at) { return at.address().is_loopback(); }));
  std::optional<Resolver::Answer> again;
  worker.start(resolver.resolve("localhost", 2, interrupt), again);
  ASSERT_TRUE(again.has_value()) << "known already";
  ASSERT_EQ(again->endpoints.size(), first.endpoints.size());
  EXPECT_EQ(again->endpoints[0].port(), 2);
}

TEST_F(ResolverTest, WhatCannotBeResolvedSaysTheName) {
  const auto answer = worker.run(resolver.resolve("no such host", 1, interrupt));
  EXPECT_TRUE(answer.endpoints.empty());
  EXPECT_TRUE(answer.error.starts_with("cannot resolve no such host: ")) << answer.error;
}

TEST_F(ResolverTest, LookupsOfOneNameJoin) {
  std::optional<Resolver::Answer> one, two;
  Interrupt other;
  worker.start(resolver.resolve("localhost", 1, interrupt), one);
  worker.start(resolver.resolve("localhost", 2, other), two);
  worker.until([&] { return one.has_value() && two.has_value(); });
  EXPECT_FALSE(one->endpoints.empty());
  EXPECT_EQ(one->endpoints.size(), two->endpoints.size());
}

TEST_F(ResolverTest, ABrokenOffWaitEndsAtOnceAndLeavesTheOthers) {
  std::optional<Resolver::Answer> broken, other_answer;
  Interrupt other;
  // Spawned without turning the loop in between, so that no answer can have come yet.
  boost::asio::co_spawn(worker->io(), resolver.resolve("localhost", 1, interrupt),
                        [&](std::exception_ptr, Resolver::Answer answer) { broken = std::move(answer); });
  boost::asio::co_spawn(worker->io(), resolver.resolve("localhost", 1, other),
                        [&](std::exception_ptr, Resolver::Answer answer) { other_answer = std::move(answer); });
  worker->io().run_one();
  worker->io().run_one();
  interrupt.fire(InterruptReason::client_left);
  worker.until([&] { return broken.has_value(); });
  EXPECT_TRUE(broken->endpoints.empty());
  worker.until([&] { return other_answer.has_value(); });
  EXPECT_FALSE(other_answer->endpoints.empty());
}

}  // namespace
}  // namespace weir::net
