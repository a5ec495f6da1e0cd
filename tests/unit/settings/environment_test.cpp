#include <gmock/gmock.h>

#include "settings/known_providers.hpp"
#include "unit/settings/loading.hpp"

namespace weir::settings {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::warnings;
using testing::World;

std::vector<std::string> names(const Settings& settings) {
  std::vector<std::string> all;
  for (const auto& provider : settings.providers) all.push_back(provider.name);
  return all;
}

Settings from(std::map<std::string, std::string, std::less<>> variables) {
  const World world{.variables = std::move(variables), .files = {}};
  return from_environment(world.environment());
}

TEST(FromEnvironment, with_no_key_there_is_demo_only) {
  const auto s = from({});
  EXPECT_THAT(names(s), ElementsAre("demo"));
  EXPECT_EQ(s.providers[0].protocol, providers::Protocol::demo);
  EXPECT_TRUE(s.file.empty());
}
TEST(FromEnvironment, a_key_makes_its_provider) {
  const auto s = from({{"OPENAI_API_KEY", "sk-1"}});
  EXPECT_THAT(names(s), ElementsAre("openai", "demo"));
  EXPECT_EQ(s.providers[0].base_url, "https://api.openai.com/v1");
  EXPECT_EQ(s.providers[0].api_key, "sk-1");
  EXPECT_EQ(s.providers[0].off_because, "");
}
TEST(FromEnvironment, each_known_key_makes_its_provider) {
  for (const auto& known : known_providers()) {
    if (known.variable.empty()) continue;
    const auto s = from({{known.variable, "k"}});
    EXPECT_THAT(names(s), ElementsAre(known.name, "demo"));
    EXPECT_EQ(s.providers[0].protocol, known.protocol);
    EXPECT_EQ(s.providers[0].base_url, known.base_url);
  }
}
TEST(FromEnvironment, several_keys_in_the_tables_order) {
  EXPECT_THAT(names(from({{"GROQ_API_KEY", "a"}, {"DEEPSEEK_API_KEY", "b"}})), ElementsAre("deepseek", "groq", "demo"));
}
TEST(FromEnvironment, an_empty_key_is_none) {
  EXPECT_THAT(names(from({{"OPENAI_API_KEY", ""}})), ElementsAre("demo"));
}
TEST(FromEnvironment, the_base_url_is_honoured_also_without_a_key) {
  const auto with = from({{"OPENAI_API_KEY", "k"}, {"OPENAI_BASE_URL", "http://127.0.0.1:9/v1/"}});
  EXPECT_EQ(with.providers[0].base_url, "http://127.0.0.1:9/v1");
  const auto without = from({{"OPENAI_BASE_URL", "http://127.0.0.1:9/v1"}});
  EXPECT_THAT(names(without), ElementsAre("openai", "demo"));
  EXPECT_EQ(without.providers[0].api_key, "");
}
TEST(FromEnvironment, a_broken_base_url_is_a_warning_without_its_value) {
  const auto s = from({{"OPENAI_API_KEY", "k"}, {"OPENAI_BASE_URL", "hunter2"}});
  EXPECT_THAT(names(s), ElementsAre("demo"));
  EXPECT_EQ(warnings(s), "OPENAI_BASE_URL must begin with http:// or https://: provider openai is left out\n");
}
TEST(FromEnvironment, a_key_loses_its_last_line_break_and_may_hold_no_other) {
  EXPECT_EQ(from({{"OPENAI_API_KEY", "k\r\n"}}).providers[0].api_key, "k");
  const auto s = from({{"OPENAI_API_KEY", "hunter2\r\nx: y"}});
  EXPECT_THAT(names(s), ElementsAre("demo"));
  EXPECT_THAT(warnings(s), Not(HasSubstr("hunter2")));
}
TEST(FromEnvironment, servers_that_were_found_come_before_demo) {
  providers::ProviderSettings ollama;
  ollama.name = "ollama";
  ollama.base_url = "http://127.0.0.1:11434/v1";
  EXPECT_THAT(names(from_environment(World{}.environment(), {ollama})), ElementsAre("ollama", "demo"));
}
TEST(FromEnvironment, a_file_without_providers_takes_them_from_there) {
  const World world{.variables = {{"OPENAI_API_KEY", "k"}}, .files = {}};
  EXPECT_THAT(names(testing::good("drain: 1s\n", world)), ElementsAre("openai", "demo"));
  EXPECT_THAT(names(testing::good("providers: {one: {base_url: http://x/v1}}\n", world)), ElementsAre("one", "demo"));
}

}  // namespace
}  // namespace weir::settings
