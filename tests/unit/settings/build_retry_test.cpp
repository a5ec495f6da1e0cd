#include "settings/load.hpp"

#include "unit/settings/loading.hpp"

#include <gmock/gmock.h>

#include <string>

namespace weir::settings {
namespace {

using namespace std::chrono_literals;
using testing::bad;
using ::testing::ElementsAre;
using testing::good;
using ::testing::HasSubstr;

const std::string kProviders = "providers: {one: {base_url: http://x/v1}, two: {base_url: http://y/v1}}\n";

TEST(BuildRetry, without_any_setting_there_are_defaults) {
  const auto s = good(kProviders);
  EXPECT_EQ(s.retry, pipeline::RetrySettings{});
  EXPECT_EQ(s.way_defaults, pipeline::WaySettings{});
  EXPECT_EQ(RetryLimits{}.attempts, 3U);
  EXPECT_EQ(RetryLimits{}.max_resend_cost.value, 50'000'000);
}

TEST(BuildRetry, the_gateways_budget_and_backoff) {
  const auto s = good(kProviders + "retry: {budget: 2.5%, backoff: {base: 50ms, cap: 2s}}\n");
  EXPECT_EQ(s.retry.budget_basis_points, 250U);
  EXPECT_EQ(s.retry.backoff_base, 50ms);
  EXPECT_EQ(s.retry.backoff_cap, 2s);
}

TEST(BuildRetry, routes_and_defaults) {
  const auto s =
      good(kProviders +
           "defaults: {retry: {attempts: 2}, hedge: {max_extra_cost: 0.01 USD}, keep_alive: 15s, zones: [eu]}\n"
           "models: {m: {provider: one}}\n"
           "routes:\n"
           "  r: {model: m, fallback: [two/x, m], retry: {max_resend_cost: 0.01 USD}, keep_alive: off,\n"
           "      hedge: {max_extra_cost: off}, repair_json: true, zones: [onprem, eu]}\n");
  EXPECT_EQ(s.way_defaults.attempts, 2U);
  EXPECT_EQ(s.way_defaults.hedge->value().value, 10'000'000);
  EXPECT_EQ(s.way_defaults.keep_alive, 15s);
  EXPECT_THAT(*s.way_defaults.zones, ElementsAre("eu"));
  const auto& route = s.routes.at(0);
  EXPECT_THAT(route.fallback, ElementsAre("two/x", "m"));
  EXPECT_FALSE(route.way.attempts);
  EXPECT_EQ(route.way.max_resend_cost->value, 10'000'000);
  ASSERT_TRUE(route.way.hedge);
  EXPECT_FALSE(route.way.hedge->has_value()) << "off";
  EXPECT_EQ(route.way.keep_alive, 0s);
  EXPECT_EQ(route.way.repair_json, true);
  EXPECT_THAT(*route.way.zones, ElementsAre("onprem", "eu"));
}

TEST(BuildRetry, places_of_a_model) {
  const auto s = good(kProviders +
                      "models:\n"
                      "  large:\n"
                      "    deployments:\n"
                      "      - {provider: one, id: llama, max_in_flight: 8, zone: onprem}\n"
                      "      - {provider: two, weight: 3}\n"
                      "    fill: latency\n"
                      "  small: {provider: one, zone: eu, max_in_flight: 2}\n");
  const auto& large = s.models.at(0);
  EXPECT_EQ(large.fill, Fill::latency);
  ASSERT_EQ(large.deployments.size(), 2U);
  EXPECT_EQ(large.deployments[0], (pipeline::DeploymentSettings{"one", "llama", "onprem", 1, 8, {}}));
  EXPECT_EQ(large.deployments[1], (pipeline::DeploymentSettings{"two", "", "", 3, 0, {}}));
  EXPECT_EQ(large.provider, "one");
  EXPECT_EQ(s.models.at(1).zone, "eu");
  EXPECT_EQ(s.models.at(1).max_in_flight, 2U);
}

TEST(BuildRetry, places_have_prices_of_their_own) {
  const auto s = good(kProviders +
                      "models:\n"
                      "  large:\n"
                      "    price: {input: 2, output: 8}\n"
                      "    deployments:\n"
                      "      - {provider: one, price: {input: 0, output: 0}}\n"
                      "      - {provider: two}\n"
                      "      - {provider: two, id: other, price: {input: 1, output: 4, cache_read: 0.5}}\n");
  const auto& places = s.models.at(0).deployments;
  EXPECT_EQ(places.at(0).price, Price{});
  EXPECT_EQ(places.at(1).price, std::nullopt);
  EXPECT_EQ(places.at(2).price, (Price{{1'000'000'000}, {4'000'000'000}, {500'000'000}, {1'000'000'000}}));
  EXPECT_THAT(bad(kProviders + "models: {m: {deployments: [{provider: one}, {provider: two, price: {output: 1}}]}}"),
              HasSubstr("price of m, deployment 2 needs both input and output"));
  EXPECT_THAT(bad(kProviders + "models: {m: {deployments: [{provider: one, price: 5}]}}"),
              HasSubstr("price must have keys"));
}

TEST(BuildRetry, several_keys) {
  const auto s = good("providers: {a: {base_url: http://x/v1, api_keys: [one, \"${K}\"]}}",
                      {.variables = {{"K", "two"}}, .files = {}});
  EXPECT_EQ(s.providers.at(0).api_key, "one");
  EXPECT_THAT(s.providers.at(0).more_api_keys, ElementsAre("two"));
}

TEST(BuildRetry, what_is_wrong_is_said_at_its_place) {
  EXPECT_THAT(bad("retry: {budget: 10}"), HasSubstr("weir.yaml:1:17: retry.budget must be a share like 10% or 0.5%"));
  EXPECT_THAT(bad("retry: {budget: 101%}"), HasSubstr("must be at most 100%"));
  EXPECT_THAT(bad("defaults: {retry: {attempts: 11}}"), HasSubstr("must be at most 10"));
  EXPECT_THAT(bad("defaults: {zones: eu}"), HasSubstr("defaults.zones must be a list"));
  EXPECT_THAT(bad(kProviders + "models: {m: {deployments: []}}"), HasSubstr("model m: deployments names no place"));
  EXPECT_THAT(bad(kProviders + "models: {m: {deployments: [{provider: three}]}}"),
              HasSubstr("provider \"three\" is not configured"));
  EXPECT_THAT(bad(kProviders + "models: {m: {deployments: [{id: x}]}}"), HasSubstr("a deployment has no provider"));
  EXPECT_THAT(bad(kProviders + "models: {m: {deployments: [{provider: one, wieght: 2}]}}"),
              HasSubstr("unknown key \"wieght\". Did you mean \"weight\"?"));
  EXPECT_THAT(bad(kProviders + "models: {m: {provider: one, deployments: [{provider: one}]}}"),
              HasSubstr("provider or deployments, not both"));
  EXPECT_THAT(bad(kProviders + "models: {m: {max_in_flight: 2, deployments: [{provider: one}]}}"),
              HasSubstr("max_in_flight belongs to each deployment"));
  EXPECT_THAT(bad(kProviders + "routes: {r: {model: one/x, fallback: [nobody]}}"),
              HasSubstr("model \"nobody\" is not configured"));
  const auto keys = bad("providers: {a: {base_url: http://x/v1, api_key: k, api_keys: [sk-hidden]}}");
  EXPECT_THAT(keys, HasSubstr("api_key or api_keys, not both"));
  EXPECT_THAT(keys, ::testing::Not(HasSubstr("sk-hidden")));
}

}  // namespace
}  // namespace weir::settings
