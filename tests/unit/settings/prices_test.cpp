#include "settings/prices.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>

#include "catalogue/catalogue.hpp"

namespace weir::settings {
namespace {

using ::testing::HasSubstr;

const catalogue::Catalogue& catalogue() {
  static const catalogue::Catalogue built_in{built_in_prices()};
  return built_in;
}

std::string committed_file() {
  std::ifstream in{WEIR_SOURCE_DIR "/config/prices.yaml", std::ios::binary};
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string bad(std::string_view text) {
  const auto models = load_prices(text, "prices.yaml");
  return models ? "no problem\n" : to_string(models.error());
}

TEST(Prices, the_committed_file_has_no_problem_and_is_what_was_built_in) {
  const auto models = load_prices(committed_file(), "config/prices.yaml");
  ASSERT_TRUE(models) << to_string(models.error());
  EXPECT_EQ(*models, built_in_prices());
}
TEST(Prices, at_least_300_models_and_each_name_once) {
  EXPECT_GE(catalogue().models().size(), 300U);
  std::set<std::string> names;
  for (const auto& model : catalogue().models()) {
    EXPECT_TRUE(names.insert(model.id).second) << model.id;
    for (const auto& alias : model.aliases) EXPECT_TRUE(names.insert(alias).second) << alias;
  }
}
TEST(Prices, abilities_and_the_longest_answer) {
  const auto* gpt = catalogue().find("gpt-4o");
  EXPECT_EQ(gpt->output_tokens_max, 16384);
  EXPECT_EQ(gpt->abilities, (catalogue::Abilities{
                                .vision = true, .documents = true, .tools = true, .schema = true, .streaming = true}));
  EXPECT_EQ(catalogue().find("qwen3-8b")->abilities, std::nullopt) << "not known is not the same as lacking";
  EXPECT_TRUE(catalogue().find("claude-haiku-4-5")->abilities->reasoning);
  EXPECT_THAT(bad("models: {a: {vendor: v, source: s, as_of: 2026-01-01, price: {input: 1, output: 1}, abilities: "
                  "[vision, telepathy]}}"),
              HasSubstr("\"telepathy\" is no ability"));
  EXPECT_THAT(
      bad("models: {a: {vendor: v, source: s, as_of: 2026-01-01, price: {input: 1, output: 1}, abilities: vision}}"),
      HasSubstr("abilities must be a list"));
}
TEST(Prices, every_model_that_was_asked_for_is_there) {
  for (const char* name : {"gpt-4o",
                           "gpt-4o-mini",
                           "gpt-5",
                           "gpt-5-mini",
                           "gpt-5-nano",
                           "gpt-5.1",
                           "gpt-5.2",
                           "gpt-5.4",
                           "gpt-5.5",
                           "gpt-5.6",
                           "claude-sonnet-4.6",
                           "claude-sonnet-4-6",
                           "claude-haiku-4.5",
                           "claude-haiku-4-5",
                           "gemini-3.1-flash",
                           "mistral-large-3",
                           "llama-4-maverick",
                           "llama-4-scout",
                           "deepseek-v4-flash",
                           "deepseek-v3.2",
                           "qwen3-8b",
                           "qwen3-32b",
                           "qwen3.5-27b",
                           "glm-4-9b",
                           "glm-4-32b",
                           "seed-oss-36b",
                           "hunyuan-a13b",
                           "ling-flash-2.0"}) {
    EXPECT_NE(catalogue().find(name), nullptr) << name;
  }
}
TEST(Prices, gpt_4o_and_mini_to_the_nano_dollar) {
  EXPECT_EQ(catalogue().find("gpt-4o")->price,
            (Price{{2'500'000'000}, {10'000'000'000}, {1'250'000'000}, {2'500'000'000}}));
  EXPECT_EQ(catalogue().find("gpt-4o-mini")->price, (Price{{150'000'000}, {600'000'000}, {75'000'000}, {150'000'000}}));
}
TEST(Prices, names_as_providers_answer_them) {
  const std::array<std::pair<const char*, const char*>, 6> pairs{
      {{"gpt-4o-2024-08-06", "gpt-4o"},
       {"gpt-5.2-2025-12-11", "gpt-5.2"},
       {"claude-haiku-4-5-20251001", "claude-haiku-4.5"},
       {"mistral-large-2512", "mistral-large-3"},
       {"openai/gpt-4o", "gpt-4o"},
       {"meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"}}};
  for (const auto& [reply, id] : pairs) {
    ASSERT_NE(catalogue().find_reply_model(reply), nullptr) << reply;
    EXPECT_EQ(catalogue().find_reply_model(reply)->id, id);
  }
}
TEST(Prices, every_model_has_sane_figures) {
  for (const auto& model : catalogue().models()) {
    EXPECT_GT(model.price.input.value, 0) << model.id;
    const bool writes = model.price.output.value > 0;  // embeddings do not
    EXPECT_TRUE(!writes || model.price.output.value >= model.price.input.value) << model.id;
    EXPECT_LE(model.price.cache_read.value, model.price.input.value) << model.id;
    EXPECT_GE(model.price.cache_write.value, model.price.input.value) << model.id;
    EXPECT_TRUE(model.context_window == 0 || model.context_window >= 64) << model.id;
  }
}
TEST(Prices, half_a_price_is_refused) {
  EXPECT_THAT(bad("models: {a: {vendor: v, source: s, as_of: 2026-01-01, price: {input: 1}}}"),
              HasSubstr("prices.yaml:1:10: a needs a price with input and output"));
}
TEST(Prices, an_unknown_key_is_refused) {
  EXPECT_THAT(bad("models: {a: {vendor: v, source: s, as_of: 2026-01-01, price: {input: 1, output: 1}, wndow: 5}}"),
              HasSubstr("Did you mean \"window\"?"));
}
TEST(Prices, a_name_may_occur_once) {
  EXPECT_THAT(
      bad("models:\n  a: {vendor: v, source: s, as_of: 2026-01-01, price: {input: 1, output: 1}, aliases: [b]}\n"
          "  b: {vendor: v, source: s, as_of: 2026-01-01, price: {input: 1, output: 1}}\n"),
      HasSubstr("prices.yaml:3:3: \"b\" is named already, in line 2"));
}
TEST(Prices, a_source_and_its_day_are_needed) {
  const auto problems = bad("models: {a: {vendor: v, as_of: soon, price: {input: 1, output: x}}}");
  EXPECT_THAT(problems, HasSubstr("a needs source"));
  EXPECT_THAT(problems, HasSubstr("must be a day like"));
  EXPECT_THAT(problems, HasSubstr("output must be US dollars"));
}

}  // namespace
}  // namespace weir::settings
