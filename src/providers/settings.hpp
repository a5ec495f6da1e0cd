#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/exchange/plan.hpp>
#include "dialects/openai_chat/error_class.hpp"
#include "providers/aws_signature.hpp"

namespace weir::providers {

enum class Protocol { openai, anthropic, gemini, vertex, azure, bedrock, demo };

/// What a server that speaks a known protocol does its own way (config/providers.yaml, `quirks:`).
struct Quirks {
  bool completions = true;             ///< has /completions; else they are asked as chat
  bool responses = true;               ///< has /responses; else they are asked as chat
  bool image_urls = true;              ///< fetches images itself
  bool developer_role = false;         ///< knows the role; else it becomes `system`
  bool max_completion_tokens = false;  ///< wants it instead of max_tokens
  bool reasoning_content = false;      ///< takes its own reasoning back
  bool operator==(const Quirks&) const = default;
};

struct AzureSettings {
  std::string api_version;  ///< empty = v1
  std::string deployment;   ///< of all calls; empty = the model's id
  std::string token;        ///< Entra's, instead of a key; secret
  bool operator==(const AzureSettings&) const = default;
};

struct VertexSettings {
  std::string project;
  std::string location;
  std::string service_account;  ///< the key file's path
  bool operator==(const VertexSettings&) const = default;
};

struct BedrockSettings {
  std::string region;
  AwsCredentials credentials;
  bool operator==(const BedrockSettings&) const = default;
};

/// One entry of `providers:`.
struct ProviderSettings {
  std::string name;
  Protocol protocol = Protocol::openai;
  std::string base_url;                                      ///< without a trailing slash; http:// or https://
  std::string api_key;                                       ///< secret: never logged; empty = no credentials are sent
  std::vector<std::string> more_api_keys = {};               ///< `api_keys` after the first, which is `api_key`
  std::vector<std::pair<std::string, std::string>> headers;  ///< added to each request
  std::string ca_file;                                       ///< tls.ca: trusted instead of the system's
  bool verify = true;                                        ///< tls.verify
  std::size_t connections_max = 1024;                        ///< per process
  std::chrono::milliseconds connections_idle{60'000};
  TimeoutOverrides timeouts;
  double demo_tokens_per_second = 0;                     ///< demo only (`speed:`); 0 = as fast as it goes
  std::vector<openai_chat::ErrorCode> error_codes = {};  ///< of config/providers.yaml
  Quirks quirks = {};
  AzureSettings azure = {};
  VertexSettings vertex = {};
  BedrockSettings bedrock = {};
  std::string off_because;  ///< the unset variable's name; empty = on
  bool operator==(const ProviderSettings&) const = default;
};

}  // namespace weir::providers
