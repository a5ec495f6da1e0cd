#include "dialects/azure/azure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::azure {
namespace {

using testing::HasSubstr;

std::string url(std::string_view endpoint, std::string_view version) {
  const Address made = address(endpoint, "my gpt/4", version);
  return made.path + (made.query.empty() ? "" : "?") + made.query;
}

TEST(Azure, Addresses) {
  EXPECT_EQ(url("chat/completions", "2024-10-21"),
            "/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21");
  EXPECT_EQ(url("embeddings", "2025-04-01-preview"),
            "/openai/deployments/my%20gpt%2F4/embeddings?api-version=2025-04-01-preview");
  EXPECT_EQ(url("responses", "2025-04-01-preview"), "/openai/responses?api-version=2025-04-01-preview");
  EXPECT_EQ(url("chat/completions", "v1"), "/openai/v1/chat/completions");
  EXPECT_EQ(url("responses", ""), "/openai/v1/responses");
  EXPECT_EQ(url("responses", "preview"), "/openai/v1/responses?api-version=preview");
}

TEST(Azure, ApiVersions) {
  for (const char* good : {"", "v1", "preview", "2024-10-21", "2025-04-01-preview"})
    EXPECT_TRUE(check_api_version(good));
  for (const char* bad : {"latest", "2024-10", "2024-10-21&x=1", "-preview"}) {
    EXPECT_THAT(check_api_version(bad).error().message, HasSubstr("api_version must be")) << bad;
  }
}

TEST(Azure, Credentials) {
  EXPECT_EQ(credential("k", "").name, "api-key");
  EXPECT_EQ(credential("k", "").value, "k");
  EXPECT_EQ(credential("k", "t").name, "authorization");
  EXPECT_EQ(credential("", "t").value, "Bearer t");
}

TEST(Azure, ErrorsNameTheSettingToMend) {
  const Ending key = decode_error(
      401,
      R"({"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}})",
      "");
  EXPECT_EQ(key.failure, Failure::upstream_credentials);
  EXPECT_THAT(key.message, HasSubstr("check its api_key or token, and its base_url"));
  const Ending deployment = decode_error(
      404,
      R"({"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}})",
      "");
  EXPECT_EQ(deployment.failure, Failure::upstream_model_missing);
  EXPECT_THAT(deployment.message, HasSubstr("check the model's deployment"));
  const Ending address_wrong = decode_error(404, R"({"error":{"code":"404","message":"Resource not found"}})", "");
  EXPECT_EQ(address_wrong.failure, Failure::upstream_model_missing);
  EXPECT_THAT(address_wrong.message, HasSubstr("base_url, deployment and api_version"));
  EXPECT_EQ(decode_error(429, R"({"error":{"code":"429","message":"Requests have exceeded the rate limit."}})", "7")
                .retry_after,
            "7");
}

TEST(Azure, TheContentFilterNamesItsCategories) {
  const Ending ending = decode_error(
      400,
      R"({"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"},"jailbreak":{"filtered":false,"detected":false},"self_harm":{"filtered":true,"severity":"medium"}}}}})",
      "");
  EXPECT_EQ(ending.failure, Failure::client_content_policy);
  EXPECT_THAT(ending.message, HasSubstr("Filtered for: hate, self_harm."));
  EXPECT_EQ(ending.code, "content_filter");
}

}  // namespace
}  // namespace weir::azure
