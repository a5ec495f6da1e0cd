#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "dialects/openai_chat/error_class.hpp"
#include "settings/problem.hpp"

namespace weir::settings {

/// One section of config/providers.yaml.
struct ProviderErrors {
  std::string name;  ///< `any`: of all
  std::string host;
  std::vector<openai_chat::ErrorCode> codes;
};

/// config/providers.yaml as it was when this binary was built.
std::string_view built_in_provider_errors_text();

/// Reads such a file. A class that the table of failures does not have is a problem.
Result<std::vector<ProviderErrors>, std::vector<Problem>> load_provider_errors(std::string_view text,
                                                                               const std::string& name);

/// The codes of a provider entry, its own before those of all; from the built-in file.
std::vector<openai_chat::ErrorCode> error_codes_of(std::string_view entry, std::string_view base_url);

}  // namespace weir::settings
