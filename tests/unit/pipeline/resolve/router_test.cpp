#include "pipeline/resolve/router.hpp"

#include <weir/exchange/service.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class NeverAsked final : public Provider {
 public:
  awaitable<Ending> send(const Call&, Attempt&, ReplySink&) override {
    ADD_FAILURE() << "a router asks nobody";
    co_return Ending{};
  }
};

constexpr Price price(std::int64_t dollars) {
  return {{dollars}, {dollars}, {dollars}, {dollars}};
}

catalogue::ModelFacts facts(std::string id, std::int64_t dollars) {
  catalogue::ModelFacts model;
  model.id = std::move(id);
  model.price = price(dollars);
  return model;
}

catalogue::ModelFacts blind() {
  catalogue::ModelFacts model = facts("blind", 1);
  model.output_tokens_max = 99;
  model.abilities = catalogue::Abilities{.tools = true, .streaming = true};
  return model;
}

class RouterTest : public testing::Test {
 protected:
  void provider(std::string name, std::string off_because = "", bool demo = false) {
    ProviderEntry entry;
    entry.name = std::move(name);
    entry.demo = demo;
    entry.off_because = std::move(off_because);
    if (entry.off_because.empty()) entry.provider = &never_asked;
    names.providers.push_back(std::move(entry));
  }
  ModelSettings& model(std::string name, std::string of, std::string id = "") {
    ModelSettings& made = names.models.emplace_back();
    made.name = std::move(name);
    made.provider = std::move(of);
    made.id = std::move(id);
    return made;
  }
  RouteSettings& route(std::string name, std::string to, std::string task = "") {
    RouteSettings& made = names.routes.emplace_back();
    made.name = std::move(name);
    made.model = std::move(to);
    made.task = std::move(task);
    return made;
  }
  const Router& router() {
    if (!router_) router_.emplace(names, catalogue);
    return *router_;
  }
  /// Where a name leads, as "provider/upstream model[ route]", or "status: message".
  std::string asked(std::string_view name, std::string_view by_route = "") {
    plan = {};
    const auto refused = router().resolve(by_route, name, plan);
    refusal = refused.value_or(Ending{});
    if (refused) return std::to_string(row_of(refused->failure).status) + ": " + refused->message;
    std::string text(plan.target.provider_name);
    text.append("/").append(plan.target.upstream_model);
    if (!plan.route.empty()) text.append(" ").append(plan.route);
    return text;
  }

  NeverAsked never_asked;
  Router::Names names;
  catalogue::Catalogue catalogue{{facts("gpt-4o", 10), facts("gpt-4o-mini", 1), facts("local-name", 7), blind()}};
  Plan plan;
  Ending refusal;

 private:
  std::optional<Router> router_;
};

TEST_F(RouterTest, NamesAreTakenInTheirOrder) {
  provider("openai");
  provider("other");
  names.default_provider = "other";
  model("fast", "openai", "gpt-4o-mini");
  model("other/listed", "openai", "listed-id");  // looks like provider/model, but is a model's name
  route("support", "fast", "support");
  route("openai/routed", "fast");
  EXPECT_EQ(asked("support"), "openai/gpt-4o-mini support");
  EXPECT_EQ(asked("openai/routed"), "openai/gpt-4o-mini openai/routed");
  EXPECT_EQ(asked("fast"), "openai/gpt-4o-mini");
  EXPECT_EQ(asked("other/listed"), "openai/listed-id");
  EXPECT_EQ(asked("openai/anything"), "openai/anything");
  EXPECT_EQ(asked("other/anything"), "other/anything");
  EXPECT_EQ(asked("openai/a/b"), "openai/a/b");
  EXPECT_EQ(asked("nobody/anything"), "other/nobody/anything");  // no provider of that name: the default's
  EXPECT_EQ(asked("openai/"), "other/openai/");
  EXPECT_EQ(asked("/x"), "other//x");
  EXPECT_EQ(asked("anything"), "other/anything");
  EXPECT_EQ(asked(""), "other/");
}

TEST_F(RouterTest, AModelsAbilitiesAreItsSettingsElseTheCatalogues) {
  provider("up");
  model("host-name", "up", "blind");
  model("told", "up", "blind").abilities = ModelAbilities{.stated = true, .tools = false};
  route("strict", "told").way.strict = true;
  asked("up/blind");
  EXPECT_TRUE(plan.target.abilities.stated);
  EXPECT_FALSE(plan.target.abilities.images);
  EXPECT_TRUE(plan.target.abilities.tools);
  EXPECT_EQ(plan.target.output_max, 99);
  EXPECT_FALSE(plan.strict);
  asked("host-name");
  EXPECT_FALSE(plan.target.abilities.images);
  asked("strict");
  EXPECT_TRUE(plan.target.abilities.images);
  EXPECT_FALSE(plan.target.abilities.tools);
  EXPECT_TRUE(plan.strict);
  asked("up/gpt-4o");
  EXPECT_FALSE(plan.target.abilities.stated) << "the catalogue is silent: nothing is held against it";
}

TEST_F(RouterTest, TheHeaderWinsOverTheModelsName) {
  provider("openai");
  model("fast", "openai", "gpt-4o-mini");
  model("slow", "openai", "gpt-4o");
  route("support", "fast");
  EXPECT_EQ(asked("slow", "support"), "openai/gpt-4o-mini support");
  EXPECT_EQ(asked("", "support"), "openai/gpt-4o-mini support");
  EXPECT_THAT(asked("slow", "suport"), HasSubstr("404: unknown route \"suport\"; nearest: support"));
  EXPECT_EQ(refusal.code, "route_not_found");
  EXPECT_EQ(refusal.param, "x-weir-route");
  EXPECT_THAT(asked("slow", "fast"), HasSubstr("404: unknown route"));  // a model is no route
}

TEST_F(RouterTest, TheOnlyProviderThatIsOnTakesEveryName) {
  provider("off", "OFF_API_KEY");
  provider("on");
  EXPECT_EQ(asked("anything"), "on/anything");
}

TEST_F(RouterTest, TheDemoCountsOnlyWhenAlone) {
  provider("demo", "", true);
  provider("on");
  EXPECT_EQ(asked("anything"), "on/anything");
  EXPECT_EQ(asked("demo/anything"), "demo/anything");
}

TEST_F(RouterTest, TheDemoAloneTakesEveryName) {
  provider("off", "OFF_API_KEY");
  provider("demo", "", true);
  EXPECT_EQ(asked("anything"), "demo/anything");
}

TEST_F(RouterTest, OfTwoProvidersWithoutADefaultNeitherTakesAnUnknownName) {
  provider("one");
  provider("two");
  EXPECT_THAT(asked("anything"), HasSubstr("404: unknown model \"anything\""));
  EXPECT_EQ(refusal.code, "model_not_found");
  EXPECT_EQ(refusal.param, "model");
  EXPECT_EQ(refusal.failure, Failure::client_not_found);
}

TEST_F(RouterTest, NobodyIsOn) {
  provider("off", "OFF_API_KEY");
  EXPECT_THAT(asked("anything"), testing::AllOf(testing::StartsWith("404: "), Not(HasSubstr("call /"))));
  EXPECT_THAT(asked("off/anything"), testing::StartsWith("503: "));
}

TEST_F(RouterTest, WhatIsOffNamesItsVariable) {
  provider("on");
  provider("off", "OFF_API_KEY");
  names.default_provider = "off";
  model("named", "off");
  route("routed", "named");
  for (const char* name : {"named", "routed", "off/x", "anything"}) {
    EXPECT_THAT(asked(name), testing::AllOf(testing::StartsWith("503: "), HasSubstr("off"), HasSubstr("OFF_API_KEY")))
        << name;
    EXPECT_EQ(refusal.code, "provider_off") << name;
    EXPECT_EQ(plan.target.provider, nullptr) << name;
  }
  EXPECT_EQ(asked("on/x"), "on/x");
}

TEST_F(RouterTest, ARefusalNamesTheNearest) {
  provider("one");
  provider("two");
  model("gpt-4o-mini", "one");
  route("support", "gpt-4o-mini");
  EXPECT_THAT(asked("gtp-4o-mini"), testing::AllOf(HasSubstr("nearest: gpt-4o-mini (one)"), HasSubstr("models:"),
                                                   HasSubstr("call two/gtp-4o-mini")));
  EXPECT_THAT(asked("suport"), HasSubstr("nearest: support (a route)"));
  EXPECT_THAT(asked("quite different"), Not(HasSubstr("nearest")));
}

TEST_F(RouterTest, ALongNameIsCutInTheMessage) {
  provider("one");
  provider("two");
  EXPECT_LT(asked(std::string(100'000, 'x')).size(), 400U);
}

TEST_F(RouterTest, LabelsAreTheConfiguredNames) {
  provider("openai");
  model("fast", "openai", "gpt-4o-mini");
  route("support", "fast", "helping");
  route("direct", "openai/gpt-4o");
  asked("support");
  EXPECT_EQ(plan.target.model, "fast");
  EXPECT_EQ(plan.task, "helping");
  asked("fast");
  EXPECT_EQ(plan.target.model, "fast");
  EXPECT_EQ(plan.route, "");
  EXPECT_EQ(plan.task, "");
  EXPECT_EQ(asked("direct"), "openai/gpt-4o direct");
  EXPECT_EQ(plan.target.model, "gpt-4o");
  asked("unlisted");
  EXPECT_EQ(plan.target.model, "unlisted");
  EXPECT_EQ(plan.target.provider, &never_asked);
}

TEST_F(RouterTest, PricesByOverrideIdAndName) {
  provider("openai");
  model("local-name", "openai", "gpt-4o");
  model("own", "openai", "gpt-4o").price.price = price(99);
  model("dated", "openai", "gpt-4o-mini-2024-07-18");
  model("unknown", "openai", "home-made");
  asked("local-name");
  EXPECT_EQ(plan.target.own_price, nullptr);
  ASSERT_NE(plan.target.id_price, nullptr);
  EXPECT_EQ(*plan.target.id_price, price(10));
  ASSERT_NE(plan.target.name_price, nullptr);
  EXPECT_EQ(*plan.target.name_price, price(7));
  asked("own");
  ASSERT_NE(plan.target.own_price, nullptr);
  EXPECT_EQ(*plan.target.own_price, price(99));
  EXPECT_EQ(*plan.target.id_price, price(10));
  EXPECT_EQ(plan.target.name_price, nullptr);
  asked("dated");
  ASSERT_NE(plan.target.id_price, nullptr);
  EXPECT_EQ(*plan.target.id_price, price(1));
  asked("unknown");
  EXPECT_EQ(plan.target.id_price, nullptr);
  EXPECT_EQ(plan.target.name_price, nullptr);
  asked("openai/gpt-4o");
  ASSERT_NE(plan.target.id_price, nullptr);
  EXPECT_EQ(*plan.target.id_price, price(10));
}

TEST_F(RouterTest, TheDemoBooksAKnownPriceForUnlistedNames) {
  provider("demo", "", true);
  asked("home-made");
  ASSERT_NE(plan.target.id_price, nullptr);
  EXPECT_EQ(*plan.target.id_price, price(1));
  asked("gpt-4o");
  EXPECT_EQ(*plan.target.id_price, price(10));
}

TEST_F(RouterTest, TimeoutsOfTheRouteOverTheModelsOverTheProviders) {
  provider("openai");
  names.providers[0].time_limits = {1s, 2s, 3s, 4s};
  auto& fast = model("fast", "openai");
  fast.timeouts.first_byte = 20s;
  fast.timeouts.between_bytes = 30s;
  auto& support = route("support", "fast");
  support.timeouts.between_bytes = 300s;
  support.timeouts.total = 400s;
  asked("support");
  EXPECT_EQ(plan.target.time_limits, (TimeLimits{1s, 20s, 300s, 400s}));
  asked("fast");
  EXPECT_EQ(plan.target.time_limits, (TimeLimits{1s, 20s, 30s, 4s}));
  asked("openai/x");
  EXPECT_EQ(plan.target.time_limits, (TimeLimits{1s, 2s, 3s, 4s}));
}

TEST_F(RouterTest, DeadlinesOfTheRouteOverTheDefaults) {
  provider("openai");
  model("fast", "openai");
  route("plain", "fast");
  route("urgent", "fast").deadline = 5s;
  EXPECT_EQ(asked("fast"), "openai/fast");
  EXPECT_EQ(plan.deadline, 0ms);
  asked("urgent");
  EXPECT_EQ(plan.deadline, 5s);
}

TEST_F(RouterTest, TheDefaultDeadlineHoldsForEveryName) {
  provider("openai");
  names.deadline = 30s;
  model("fast", "openai");
  route("plain", "fast");
  route("urgent", "fast").deadline = 5s;
  for (const char* name : {"fast", "plain", "openai/x", "unlisted"}) {
    asked(name);
    EXPECT_EQ(plan.deadline, 30s) << name;
  }
  asked("urgent");
  EXPECT_EQ(plan.deadline, 5s);
}

TEST_F(RouterTest, APassThroughWithoutAModelGoesToTheDefault) {
  provider("one");
  provider("two");
  names.default_provider = "two";
  EXPECT_FALSE(router().resolve_default(plan));
  EXPECT_EQ(plan.target.provider_name, "two");
  EXPECT_EQ(plan.target.upstream_model, "");
  EXPECT_EQ(plan.target.id_price, nullptr);
}

TEST_F(RouterTest, APassThroughWithoutADefaultSaysWhatToSet) {
  provider("one");
  provider("two");
  const auto refused = router().resolve_default(plan);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->failure, Failure::client_not_found);
  EXPECT_THAT(refused->message, HasSubstr("default:"));
}

TEST_F(RouterTest, APassThroughToADefaultThatIsOffNamesTheVariable) {
  provider("off", "OFF_API_KEY");
  names.default_provider = "off";
  const auto refused = router().resolve_default(plan);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->failure, Failure::gateway_busy);
  EXPECT_THAT(refused->message, HasSubstr("OFF_API_KEY"));
}

TEST_F(RouterTest, ListsModelsAndRoutesWithTheirOwners) {
  provider("openai");
  model("fast", "openai");
  route("support", "fast");
  ASSERT_EQ(router().listed().size(), 2U);
  EXPECT_EQ(router().listed()[0].id, "fast");
  EXPECT_EQ(router().listed()[0].owner, "openai");
  EXPECT_EQ(router().listed()[1].id, "support");
  EXPECT_EQ(router().listed()[1].owner, "weir");
}

// Several places.

TEST_F(RouterTest, AModelsDeploymentsAreItsPlaces) {
  provider("local");
  provider("cloud");
  provider("off", "KEY");
  ModelSettings& large = model("large", "local", "llama");
  large.zone = "onprem";
  large.fill = Fill::weight;
  large.deployments = {{"local", "", "", 1, 8, {}}, {"off", "", "", 1, 0, {}}, {"cloud", "gpt-4o", "eu", 3, 0, {}}};
  EXPECT_EQ(asked("large"), "local/llama");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].fill, Fill::weight);
  const auto places = plan.steps[0].places;
  ASSERT_EQ(places.size(), 2U);  // one is off
  EXPECT_EQ(places[0].zone, "onprem");
  EXPECT_EQ(places[0].max_in_flight, 8U);
  EXPECT_EQ(places[1].upstream_model, "gpt-4o");
  EXPECT_EQ(places[1].model, "large");
  EXPECT_EQ(places[1].zone, "eu");
  EXPECT_EQ(places[1].weight, 3U);
  ASSERT_NE(places[1].id_price, nullptr);
  EXPECT_EQ(places[1].id_price->input.value, 10);
}

TEST_F(RouterTest, APlacesOwnPriceIsBeforeItsModels) {
  provider("local");
  provider("cloud");
  ModelSettings& large = model("large", "local", "llama");
  large.price.price = Price{{7}, {7}, {7}, {7}};
  large.deployments = {{"local", "", "", 1, 0, Price{}}, {"cloud", "", "", 1, 0, {}}};
  asked("large");
  const auto places = plan.steps[0].places;
  EXPECT_EQ(*places[0].own_price, Price{});
  EXPECT_EQ(places[1].own_price->input.value, 7);
}

TEST_F(RouterTest, ARoutesFallbacksAreItsFurtherSteps) {
  provider("one");
  provider("two");
  provider("off", "KEY");
  model("first", "one", "gpt-4o");
  model("gone", "off");
  RouteSettings& made = route("both", "first");
  made.fallback = {"gone", "two/gpt-4o-mini"};
  made.timeouts.connect = 7ms;
  EXPECT_EQ(asked("both"), "one/gpt-4o both");
  ASSERT_EQ(plan.steps.size(), 2U);
  EXPECT_EQ(plan.steps[1].places[0].provider_name, "two");
  EXPECT_EQ(plan.steps[1].places[0].time_limits.connect, 7ms);
}

TEST_F(RouterTest, AFallbackStandsInForAModelThatIsOff) {
  provider("off", "KEY");
  provider("two");
  model("gone", "off");
  route("r", "gone").fallback = {"two/x"};
  EXPECT_EQ(asked("r"), "two/x r");
  EXPECT_THAT(asked("gone"), HasSubstr("503: provider off is off because KEY is not set"));
}

TEST_F(RouterTest, WhatARouteSaysWinsOverTheDefaults) {
  provider("one");
  names.defaults.attempts = 5;
  names.defaults.zones = {"eu"};
  names.defaults.keep_alive = 15s;
  RouteSettings& made = route("r", "one/x");
  made.way.attempts = 1;
  made.way.max_resend_cost = NanoDollars{7};
  made.way.zones = std::vector<std::string>{"onprem"};
  asked("one/x");
  EXPECT_EQ(plan.retry.attempts, 5U);
  EXPECT_EQ(plan.retry.max_resend_cost.value, 50'000'000);
  ASSERT_NE(plan.zones, nullptr);
  EXPECT_EQ(plan.zones->front(), "eu");
  asked("r");
  EXPECT_EQ(plan.retry.attempts, 1U);
  EXPECT_EQ(plan.retry.max_resend_cost.value, 7);
  EXPECT_EQ(plan.zones->front(), "onprem");
  EXPECT_EQ(plan.keep_alive, 15s);
}

TEST_F(RouterTest, NamesOfClientsShareOnePlace) {
  targets::Places places;
  names.places = &places;
  provider("one");
  names.default_provider = "one";
  model("listed", "one");
  asked("one/x");
  targets::Place* const other = plan.target.place;
  ASSERT_NE(other, nullptr);
  asked("whatever");
  EXPECT_EQ(plan.target.place, other);
  asked("listed");
  EXPECT_NE(plan.target.place, other);
}

}  // namespace
}  // namespace weir::pipeline
