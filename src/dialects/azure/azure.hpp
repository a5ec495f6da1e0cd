#pragma once
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include <weir/exchange/ending.hpp>

/// What differs between Azure OpenAI and OpenAI: where a call goes, what it is signed in with, and what its errors
/// mean. Bodies and streams are OpenAI's, and same-protocol calls stay byte for byte.
namespace weir::azure {

struct Address {
  std::string path;   ///< below the resource's address (https://<resource>.openai.azure.com)
  std::string query;  ///< without '?'; empty = none
};

/// `endpoint`: "chat/completions", "completions", "embeddings", "responses". With an `api_version` of "v1" or none the
/// path has no deployment, which is then the body's `model`; with a dated one it has, except for responses.
Address address(std::string_view endpoint, std::string_view deployment, std::string_view api_version);

/// Whether `api_version` is one: empty, "v1", "preview", or a day with or without "-preview". The error says so.
Result<void> check_api_version(std::string_view api_version);

/// The field that carries the credential: `api-key`, or with an Entra token `Authorization: Bearer`.
struct Credential {
  std::string_view name;
  std::string value;  ///< secret
};
Credential credential(std::string_view api_key, std::string_view bearer_token);

/// As openai_chat::classify_error. Wrong keys, deployments and addresses name the setting to mend; a refusal by the
/// content filter names its categories.
Ending decode_error(int status, std::string_view body, std::string_view retry_after);

}  // namespace weir::azure
