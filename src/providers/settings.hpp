#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/exchange/plan.hpp>
#include "dialects/openai_chat/error_class.hpp"

namespace weir::providers {

enum class Protocol { openai, demo };

/// One entry of `providers:`.
struct ProviderSettings {
  std::string name;
  Protocol protocol = Protocol::openai;
  std::string base_url;                                      ///< without a trailing slash; http:// or https://
  std::string api_key;                                       ///< secret: never logged; empty = no Authorization is sent
  std::vector<std::string> more_api_keys = {};               ///< `api_keys` after the first, which is `api_key`
  std::vector<std::pair<std::string, std::string>> headers;  ///< added to each request
  std::string ca_file;                                       ///< tls.ca: trusted instead of the system's
  bool verify = true;                                        ///< tls.verify
  std::size_t connections_max = 1024;                        ///< per process
  std::chrono::milliseconds connections_idle{60'000};
  TimeoutOverrides timeouts;
  double demo_tokens_per_second = 0;                     ///< demo only (`speed:`); 0 = as fast as it goes
  std::vector<openai_chat::ErrorCode> error_codes = {};  ///< of config/providers.yaml
  std::string off_because;                               ///< the unset variable's name; empty = on
  bool operator==(const ProviderSettings&) const = default;
};

}  // namespace weir::providers
