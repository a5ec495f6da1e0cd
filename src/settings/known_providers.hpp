#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "providers/settings.hpp"
#include "settings/environment.hpp"

namespace weir::settings {

/// A provider that appears by itself when its key is in the environment.
struct KnownProvider {
  std::string_view name;
  std::string_view variable;
  std::string_view base_url;
  std::string_view protocol = "openai";  ///< another one than openai is not built yet
};

std::span<const KnownProvider> known_providers();

/// Null if the name is none of them.
const KnownProvider* find_known_provider(std::string_view name);

/// Those whose key is set, in the table's order; `found` (servers that the caller has seen answering) and `demo` last.
/// OPENAI_BASE_URL moves openai elsewhere, then also without a key. What cannot be used is said in `warnings`.
std::vector<providers::ProviderSettings> providers_from(const Environment& environment,
                                                        std::vector<providers::ProviderSettings> found,
                                                        std::vector<std::string>& warnings);

/// Adds the built-in `demo` unless a provider of this name is there.
void add_demo(std::vector<providers::ProviderSettings>& providers);

}  // namespace weir::settings
