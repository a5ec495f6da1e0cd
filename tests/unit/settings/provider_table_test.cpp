#include "settings/known_providers.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace weir::settings {
namespace {

Failure meant(const std::vector<openai_chat::ErrorCode>& codes, std::string_view code) {
  const auto found = std::ranges::find(codes, code, &openai_chat::ErrorCode::code);
  return found == codes.end() ? Failure::none : found->failure;
}

TEST(ProviderTable, the_built_in_file_is_good) {
  const auto all = load_known_providers(built_in_providers_text(), "config/providers.yaml");
  ASSERT_TRUE(all.has_value());
  EXPECT_GT(all->size(), 5U);
  for (const auto& one : *all) {
    for (const auto& code : one.codes) {
      EXPECT_TRUE(std::ranges::none_of(code.code, [](char c) { return c >= 'A' && c <= 'Z'; })) << code.code;
    }
  }
}

TEST(ProviderTable, by_name_or_host) {
  const auto by_host = error_codes_of("mine", "https://api.anthropic.com/v1");
  EXPECT_EQ(meant(by_host, "overloaded_error"), Failure::upstream_overloaded);
  EXPECT_EQ(meant(by_host, "insufficient_quota"), Failure::limit_quota);
  EXPECT_EQ(meant(by_host, "engine_overloaded"), Failure::none);
  EXPECT_EQ(meant(error_codes_of("openai", "http://127.0.0.1:1/v1"), "engine_overloaded"),
            Failure::upstream_overloaded);
  EXPECT_EQ(meant(error_codes_of("x", "https://mine.openai.azure.com"), "deploymentnotfound"),
            Failure::upstream_model_missing);
  EXPECT_EQ(meant(error_codes_of("x", ""), "slow_down"), Failure::upstream_overloaded);
}

TEST(ProviderTable, a_provider_has_the_address_of_before_too) {
  for (const std::string_view url : {"https://api.together.ai/v1", "https://api.together.xyz/v1"}) {
    const KnownProvider* known = known_provider_at(url);
    ASSERT_NE(known, nullptr) << url;
    EXPECT_EQ(known->name, "together");
  }
  EXPECT_EQ(known_provider_at("https://api.together.example/v1"), nullptr);
}

TEST(ProviderTable, what_is_wrong_is_said) {
  EXPECT_FALSE(load_known_providers("a: {host: x, codes: {y: limit.rat}}", "f"));
  EXPECT_FALSE(load_known_providers("a: {codes: {y: limit.rate}}", "f"));
  EXPECT_FALSE(load_known_providers("any: {cods: {y: limit.rate}}", "f"));
  EXPECT_TRUE(load_known_providers("any: {codes: {y: limit.rate}}", "f"));
}

}  // namespace
}  // namespace weir::settings
