#include "dialects/azure/azure.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dialects/json/cursor.hpp"
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "net/path_segment.hpp"

namespace weir::azure {
namespace {

/// Which categories of the content filter said no. Their names are Azure's; one that looks otherwise is left out.
struct Filtered {
  std::vector<std::string> categories;

  bool scan(json::Cursor& cursor, std::string_view name) {
    if (cursor.peek() == '[') return cursor.read_array([&] { return scan(cursor, name); });
    if (cursor.peek() != '{') return cursor.skip_value();
    return cursor.read_object([&](const json::String& key, std::size_t) {
      if (key.raw != "filtered" || cursor.peek() != 't') return scan(cursor, key.raw);
      const bool plain = !name.empty() && name.size() <= 32 && categories.size() < 8 &&
                         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
      if (plain) categories.emplace_back(name);
      return cursor.skip_value();
    });
  }
};

}  // namespace

Address address(std::string_view endpoint, std::string_view deployment, std::string_view api_version) {
  if (api_version.empty() || api_version == "v1") return {.path = fmt::format("/openai/v1/{}", endpoint), .query = {}};
  if (api_version == "preview") return {.path = fmt::format("/openai/v1/{}", endpoint), .query = "api-version=preview"};
  const std::string query = fmt::format("api-version={}", api_version);
  if (endpoint == "responses") return {.path = "/openai/responses", .query = query};
  return {.path = fmt::format("/openai/deployments/{}/{}", net::encode_path_segment(deployment), endpoint),
          .query = query};
}

Result<void> check_api_version(std::string_view api_version) {
  if (api_version.empty() || api_version == "v1" || api_version == "preview") return {};
  constexpr std::string_view shape = "0000-00-00";
  constexpr std::string_view preview = "-preview";
  std::string_view day = api_version;
  if (day.ends_with(preview)) day.remove_suffix(preview.size());
  const bool dated = std::equal(day.begin(), day.end(), shape.begin(), shape.end(),
                                [](char c, char s) { return s == '0' ? c >= '0' && c <= '9' : c == s; });
  if (dated) return {};
  return failure("api_version must be v1, preview or a day such as 2024-10-21 or 2025-04-01-preview");
}

Credential credential(std::string_view api_key, std::string_view bearer_token) {
  if (bearer_token.empty()) return {.name = "api-key", .value = std::string{api_key}};
  return {.name = "authorization", .value = fmt::format("Bearer {}", bearer_token)};
}

Ending decode_error(int status, std::string_view body, std::string_view retry_after) {
  Ending ending = openai_chat::classify_error(status, body, retry_after);
  if (ending.failure == Failure::upstream_credentials) {
    ending.message =
        "Azure refused the credentials of this provider: check its api_key or token, and its base_url, because a key "
        "is "
        "good for its own resource only.";
  } else if (status == 404) {
    ending.failure = Failure::upstream_model_missing;
    ending.provider_body.clear();
    const bool named = openai_chat::read_error(body).code == "DeploymentNotFound";
    ending.message = named
                         ? "Azure has no deployment of this name: check the model's deployment in the settings; a new "
                           "one takes some minutes."
                         : "Azure has nothing at this address: check base_url, deployment and api_version.";
  } else if (ending.failure == Failure::client_content_policy) {
    Filtered filtered;
    json::Cursor cursor{body};
    filtered.scan(cursor, {});
    if (!filtered.categories.empty()) {
      ending.message += fmt::format(" Filtered for: {}.", fmt::join(filtered.categories, ", "));
      ending.provider_body.clear();
    }
  }
  return ending;
}

}  // namespace weir::azure
