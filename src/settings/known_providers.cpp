#include "settings/known_providers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "settings/quantities.hpp"

namespace weir::settings {
namespace {

/// An empty variable counts as unset.
std::optional<std::string> variable(const Environment& environment, std::string_view name) {
  auto value = environment.variable ? environment.variable(name) : std::nullopt;
  return value && !value->empty() ? value : std::nullopt;
}

/// Line breaks come with keys that were read from a file by hand; a key with one would end a header early.
std::optional<std::string> clean_key(std::string key) {
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) key.pop_back();
  const bool broken =
      std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
  if (broken || key.empty()) return std::nullopt;
  return key;
}

}  // namespace

void add_demo(std::vector<providers::ProviderSettings>& providers) {
  for (const auto& provider : providers) {
    if (provider.name == "demo") return;
  }
  providers::ProviderSettings demo;
  demo.name = "demo";
  demo.protocol = providers::Protocol::demo;
  providers.push_back(std::move(demo));
}

std::vector<providers::ProviderSettings> providers_from(const Environment& environment,
                                                        std::vector<providers::ProviderSettings> found,
                                                        std::vector<std::string>& warnings) {
  std::vector<providers::ProviderSettings> all;
  for (const auto& known : known_providers()) {
    if (known.variable.empty()) continue;
    auto key = variable(environment, known.variable);
    const auto moved = known.name == "openai" ? variable(environment, "OPENAI_BASE_URL") : std::nullopt;
    if (!key && !moved) continue;
    providers::ProviderSettings provider;
    provider.name = known.name;
    provider.protocol = known.protocol;
    provider.base_url = known.base_url;
    if (moved) {
      const auto url = parse_base_url(*moved);
      if (!url) {
        warnings.push_back(fmt::format("OPENAI_BASE_URL {}: provider openai is left out", url.error().message));
        continue;
      }
      provider.base_url = *url;
    }
    if (key) {
      auto clean = clean_key(std::move(*key));
      if (!clean) {
        warnings.push_back(fmt::format("{} holds line breaks or control characters: provider {} is left out",
                                       known.variable, known.name));
        continue;
      }
      provider.api_key = std::move(*clean);
    }
    all.push_back(std::move(provider));
  }
  for (auto& provider : found) {
    const bool taken = std::any_of(all.begin(), all.end(), [&](const auto& p) { return p.name == provider.name; });
    if (!taken) all.push_back(std::move(provider));
  }
  add_demo(all);
  return all;
}

}  // namespace weir::settings
