#include "settings/known_providers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "settings/quantities.hpp"

namespace weir::settings {
namespace {

constexpr auto kKnown = std::to_array<KnownProvider>({
    {"openai", "OPENAI_API_KEY", "https://api.openai.com/v1"},
    {"anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com", "anthropic"},
    {"gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com", "gemini"},
    {"deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1"},
    {"mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1"},
    {"xai", "XAI_API_KEY", "https://api.x.ai/v1"},
    {"groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1"},
    {"together", "TOGETHER_API_KEY", "https://api.together.xyz/v1"},
    {"fireworks", "FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1"},
    {"openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"},
    {"cerebras", "CEREBRAS_API_KEY", "https://api.cerebras.ai/v1"},
});

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

std::span<const KnownProvider> known_providers() {
  return kKnown;
}

const KnownProvider* find_known_provider(std::string_view name) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(), [&](const auto& known) { return known.name == name; });
  return found == kKnown.end() ? nullptr : &*found;
}

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
  for (const auto& known : kKnown) {
    auto key = variable(environment, known.variable);
    const auto moved = known.name == "openai" ? variable(environment, "OPENAI_BASE_URL") : std::nullopt;
    if (!key && !moved) continue;
    if (known.protocol != "openai") {
      warnings.push_back(
          fmt::format("{} is set, but protocol {} is not supported yet: provider {} is left out "
                      "(see docs/roadmap.md)",
                      known.variable, known.protocol, known.name));
      continue;
    }
    providers::ProviderSettings provider;
    provider.name = known.name;
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
