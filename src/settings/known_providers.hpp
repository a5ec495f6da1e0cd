#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "dialects/openai_chat/error_class.hpp"
#include "providers/settings.hpp"
#include "settings/environment.hpp"
#include "settings/problem.hpp"

namespace weir::settings {

/// One section of config/providers.yaml.
struct KnownProvider {
  std::string name;  ///< `any`: holds for all
  providers::Protocol protocol = providers::Protocol::openai;
  std::string base_url;  ///< empty = the settings must say it
  std::string variable;  ///< makes the provider appear by itself; empty = nothing does
  std::string host;
  std::vector<std::string> quirks;
  std::vector<openai_chat::ErrorCode> codes;
};

/// config/providers.yaml as it was when this binary was built.
std::string_view built_in_providers_text();

/// Reads such a file. A class, a protocol or a quirk that weir does not have is a problem.
Result<std::vector<KnownProvider>, std::vector<Problem>> load_known_providers(std::string_view text,
                                                                              const std::string& name);

/// All of the built-in file but `any`.
std::span<const KnownProvider> known_providers();

/// Null if the name is none of them.
const KnownProvider* find_known_provider(std::string_view name);

/// By the host of a base_url. Null if it is none of theirs.
const KnownProvider* known_provider_at(std::string_view base_url);

/// The codes of a provider entry, its own (by host, else by name) before those of all.
std::vector<openai_chat::ErrorCode> error_codes_of(std::string_view entry, std::string_view base_url);

/// False: there is no such quirk.
bool set_quirk(providers::Quirks& quirks, std::string_view name);

/// What the built-in file says of a provider, besides what the settings say: codes and quirks.
void add_known_facts(providers::ProviderSettings& provider);

/// `openai`, `anthropic` and so on; nothing if it is none.
std::optional<providers::Protocol> parse_protocol(std::string_view text);

/// Those whose key is set, in the file's order; `found` (servers that the caller has seen answering) and `demo` last.
/// OPENAI_BASE_URL moves openai elsewhere, then also without a key. What cannot be used is said in `warnings`.
std::vector<providers::ProviderSettings> providers_from(const Environment& environment,
                                                        std::vector<providers::ProviderSettings> found,
                                                        std::vector<std::string>& warnings);

/// Adds the built-in `demo` unless a provider of this name is there.
void add_demo(std::vector<providers::ProviderSettings>& providers);

}  // namespace weir::settings
