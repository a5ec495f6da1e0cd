#include "settings/build_provider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loading.hpp"

namespace weir::settings {
namespace {

using namespace testing;
using providers::Protocol;
using ::testing::HasSubstr;

providers::ProviderSettings first(std::string_view entry, const World& world = {}) {
  const Settings settings = good("providers:\n  " + std::string(entry) + "\n", world);
  return settings.providers.empty() ? providers::ProviderSettings{} : settings.providers.front();
}
std::string wrong(std::string_view entry, const World& world = {}) {
  return bad("providers:\n  " + std::string(entry) + "\n", world);
}

TEST(BuildProvider, TheProtocolIsToldByAddressOrName) {
  EXPECT_EQ(first("anthropic: {api_key: k}").protocol, Protocol::anthropic);
  EXPECT_EQ(first("anthropic: {api_key: k}").base_url, "https://api.anthropic.com");
  EXPECT_EQ(first("mine: {base_url: 'https://api.anthropic.com/v1'}").protocol, Protocol::anthropic);
  EXPECT_EQ(first("anthropic: {base_url: 'http://127.0.0.1:1/v1'}").protocol, Protocol::openai);
  EXPECT_EQ(first("anthropic: {protocol: openai, base_url: 'https://api.anthropic.com/v1'}").protocol,
            Protocol::openai);
  EXPECT_EQ(first("mine: {base_url: 'https://x.openai.azure.com'}").protocol, Protocol::azure);
  EXPECT_EQ(first("claude: {protocol: anthropic, api_key: k}").base_url, "https://api.anthropic.com");
}

TEST(BuildProvider, KnownServersBringTheirQuirks) {
  const auto ollama = first("ollama: {}");
  EXPECT_EQ(ollama.base_url, "http://127.0.0.1:11434/v1");
  EXPECT_FALSE(ollama.quirks.responses);
  EXPECT_FALSE(ollama.quirks.image_urls);
  EXPECT_TRUE(first("openai: {api_key: k}").quirks.developer_role);
  EXPECT_FALSE(first("openai: {base_url: 'http://127.0.0.1:1/v1'}").quirks.developer_role) << "it is another server";
  EXPECT_FALSE(first("x: {base_url: 'https://api.example.com/v1', quirks: [no_responses]}").quirks.responses);
  EXPECT_THAT(wrong("x: {base_url: 'https://api.example.com/v1', quirks: [odd]}"), HasSubstr("no_responses"));
}

TEST(BuildProvider, AzureTakesAVersionThatIsOne) {
  EXPECT_EQ(first("a: {base_url: 'https://x.openai.azure.com', api_version: 2024-10-21}").azure.api_version,
            "2024-10-21");
  EXPECT_THAT(wrong("a: {base_url: 'https://x.openai.azure.com', api_version: latest}"),
              HasSubstr("api_version must be v1, preview or a day"));
  EXPECT_THAT(wrong("a: {protocol: azure, api_key: k}"),
              HasSubstr("has no base_url, like https://NAME.openai.azure.com"));
}

TEST(BuildProvider, VertexNeedsItsThreeSettings) {
  EXPECT_EQ(first("v: {protocol: vertex, project: p-1, location: europe-west4, service_account: a.json}").base_url,
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4/publishers/google");
  EXPECT_THAT(wrong("v: {protocol: vertex, project: p-1, location: europe-west4}"), HasSubstr("service_account"));
  EXPECT_THAT(wrong("v: {protocol: vertex, location: x, service_account: a}"), HasSubstr("project must be"));
  EXPECT_THAT(wrong("v: {protocol: vertex, project: p-1, location: 'a/b', service_account: a}"),
              HasSubstr("location must be"));
}

TEST(BuildProvider, BedrocksCredentialsAreTheSettingsOrTheEnvironments) {
  World world;
  world.variables = {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE00000"},
                     {"AWS_SECRET_ACCESS_KEY", "ssssssssssssssssssssssssssssssssssssssss"},
                     {"AWS_REGION", "us-east-1"}};
  const auto from_environment = first("b: {protocol: bedrock}", world);
  EXPECT_EQ(from_environment.bedrock.credentials.access_key_id, "AKIDEXAMPLE00000");
  EXPECT_EQ(from_environment.base_url, "https://bedrock-runtime.us-east-1.amazonaws.com");
  const auto own = first(
      "b: {protocol: bedrock, region: eu-west-1, access_key_id: AKIDEXAMPLE11111, "
      "secret_access_key: tttttttttttttttttttttttttttttttttttttttt}",
      world);
  EXPECT_EQ(own.bedrock.credentials.access_key_id, "AKIDEXAMPLE11111");
  EXPECT_EQ(own.bedrock.region, "eu-west-1");
  EXPECT_EQ(first("b: {protocol: bedrock, region: eu-west-1}").off_because, "AWS_ACCESS_KEY_ID");
  EXPECT_THAT(wrong("b: {protocol: bedrock, region: eu-west-1, access_key_id: AKIDEXAMPLE11111}"),
              HasSubstr("secret_access_key"));
  world.variables.erase("AWS_REGION");
  EXPECT_THAT(wrong("b: {protocol: bedrock}", world), HasSubstr("needs a region"));
}

TEST(BuildProvider, SettingsOfAnotherProtocolAreRefused) {
  EXPECT_THAT(wrong("o: {base_url: 'https://api.example.com/v1', region: x}"),
              HasSubstr("region is for protocol bedrock only"));
  EXPECT_THAT(wrong("o: {base_url: 'https://api.example.com/v1', speed: 3}"),
              HasSubstr("speed is for protocol demo only"));
}

TEST(BuildProvider, AModelsAbilitiesAreWhatItsListNames) {
  const Settings settings = good(
      "providers: {ollama: {}}\nmodels: {m: {provider: ollama, abilities: [streaming, tools]}}\n"
      "routes: {r: {model: m, strict: true}}\n");
  ASSERT_TRUE(settings.models.at(0).abilities.has_value());
  EXPECT_TRUE(settings.models[0].abilities->tools);
  EXPECT_FALSE(settings.models[0].abilities->images);
  EXPECT_EQ(settings.routes.at(0).way.strict, true);
  EXPECT_FALSE(settings.routes[0].way.image_hosts.has_value()) << "the defaults' hold";
}

TEST(BuildProvider, ImagesComeFromHosts) {
  const std::string model = "providers: {ollama: {}}\nmodels: {m: {provider: ollama}}\n";
  const Settings settings = good(model +
                                 "defaults: {fetch_images: {hosts: [a.example.com, 'b.example.com:8443']}}\n"
                                 "routes: {r: {model: m, fetch_images: {hosts: []}}}\n");
  ASSERT_TRUE(settings.way_defaults.image_hosts.has_value());
  EXPECT_EQ(settings.way_defaults.image_hosts->size(), 2U);
  ASSERT_TRUE(settings.routes.at(0).way.image_hosts.has_value());
  EXPECT_TRUE(settings.routes[0].way.image_hosts->empty()) << "none, whatever the defaults say";
  for (const std::string host : {"https://a.example.com", "'*.example.com'", "a.example.com/x", "u@a.example.com"}) {
    EXPECT_THAT(bad(model + "routes: {r: {model: m, fetch_images: {hosts: [" + host + "]}}}\n"),
                HasSubstr("takes hosts, like"));
  }
}

}  // namespace
}  // namespace weir::settings
