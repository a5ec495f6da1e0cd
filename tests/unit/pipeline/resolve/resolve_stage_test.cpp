#include "pipeline/resolve/resolve_stage.hpp"

#include "fakes/recording_sink.hpp"
#include "fakes/run_once.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace weir::pipeline {
namespace {

class Next final : public Service {
 public:
  awaitable<Ending> call(Exchange&, ReplySink&) override {
    ++calls;
    co_return Ending{};
  }
  int calls = 0;
};

class NeverAsked final : public Provider {
 public:
  awaitable<Ending> send(const Call&, Attempt&, ReplySink&) override { co_return Ending{}; }
};

class ResolveStageTest : public testing::Test {
 protected:
  ResolveStageTest() {
    ProviderEntry one;
    one.name = "one";
    one.provider = &provider;
    ProviderEntry two = one;
    two.name = "two";
    names.providers = {one, two};
    ModelSettings model;
    model.name = "fast";
    model.provider = "one";
    names.models = {model};
    RouteSettings route;
    route.name = "support";
    route.model = "fast";
    route.task = "helping";
    names.routes = {route};
  }
  Ending call() {
    router.emplace(names, catalogue);
    ResolveStage stage(*router, next);
    return fakes::run_once(stage.call(exchange, sink));
  }

  NeverAsked provider;
  Router::Names names;
  catalogue::Catalogue catalogue{{}};
  std::optional<Router> router;
  Next next;
  Exchange exchange;
  fakes::RecordingSink sink;
};

TEST_F(ResolveStageTest, FillsThePlanAndGoesOn) {
  exchange.request.model = "fast";
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(next.calls, 1);
  EXPECT_EQ(exchange.plan.target.provider_name, "one");
  EXPECT_EQ(exchange.task, "none");
}

TEST_F(ResolveStageTest, ARefusalGoesNoFurther) {
  exchange.request.model = "nobody";
  exchange.asked_task = "asked";
  const Ending ending = call();
  EXPECT_EQ(ending.failure, Failure::client_not_found);
  EXPECT_EQ(ending.phase, Phase::none);
  EXPECT_EQ(next.calls, 0);
  EXPECT_EQ(sink.heads, 0U);
  EXPECT_EQ(exchange.task, "asked");  // booked under its task all the same
}

TEST_F(ResolveStageTest, TheAskedTaskWinsOverTheRoutes) {
  exchange.request.model = "support";
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(exchange.task, "helping");
  exchange.asked_task = "asked";
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(exchange.task, "asked");
}

TEST_F(ResolveStageTest, TheRoutesHeaderIsHeard) {
  exchange.request.model = "nobody";
  exchange.request.route = "support";
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(exchange.plan.route, "support");
}

TEST_F(ResolveStageTest, APassThroughWithoutAModelTakesTheDefault) {
  exchange.raw = true;
  EXPECT_EQ(call().code, "no_default_provider");
  names.default_provider = "two";
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(exchange.plan.target.provider_name, "two");
  exchange.request.model = "fast";
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(exchange.plan.target.provider_name, "one");
}

}  // namespace
}  // namespace weir::pipeline
