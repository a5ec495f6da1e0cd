// A settings file of any bytes: settings that keep their promises or problems that name a place, and never a secret.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "settings/load.hpp"
#include "settings/prices.hpp"
#include "settings/quantities.hpp"

namespace {

using weir::fuzz::require;
namespace settings = weir::settings;

constexpr std::string_view kSecret = "QzSecretQz";

const settings::Environment& environment() {
  static const settings::Environment world{
      .variable = [](std::string_view name) -> std::optional<std::string> {
        if (name == "S") return std::string{kSecret};
        if (name == "T") return std::string{kSecret} + "\n";
        return name == "N" ? std::optional<std::string>{"7"} : std::nullopt;
      },
      .read_file = [](const std::filesystem::path& path) -> weir::Result<std::string> {
        if (path == "/s") return std::string{kSecret} + "\n";
        return weir::failure("cannot be read");
      }};
  return world;
}

bool has_provider(const settings::Settings& all, std::string_view name) {
  for (const auto& provider : all.providers) {
    if (provider.name == name) return true;
  }
  return false;
}

bool has_model(const settings::Settings& all, std::string_view name) {
  for (const auto& model : all.models) {
    if (model.name == name) return true;
  }
  return false;
}

void check_promises(const settings::Settings& all) {
  require(!all.listen.empty(), "there is always a listener");
  for (const auto& one : all.listen) {
    require(all.open || settings::is_loopback(one.host), "another address than loopback needs open");
    require(one.certificate_file.empty() == one.key_file.empty(), "a certificate has its key");
  }
  require(has_provider(all, "demo"), "demo is always configured");
  require(all.default_provider.empty() || has_provider(all, all.default_provider), "default is configured");
  for (const auto& provider : all.providers) {
    const bool whole = provider.protocol == weir::providers::Protocol::demo || !provider.off_because.empty();
    require(whole || provider.base_url.starts_with("http"), "a provider that is on has a URL");
    require(provider.api_key.find_first_of("\r\n") == std::string::npos, "a key cannot end a header");
  }
  for (const auto& model : all.models) require(has_provider(all, model.provider), "a model's provider is configured");
  for (const auto& route : all.routes) {
    require(!has_model(all, route.name), "a name is a route or a model");
    require(has_model(all, route.model) || has_provider(all, route.model.substr(0, route.model.find('/'))),
            "a route's model is known");
  }
  require(settings::restart_only_changes(all, all).empty(), "nothing differs from itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16'384) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool may_show = text.find("Qz") != text.npos;
  for (const char* profile : {"", "dev"}) {
    const auto loaded =
        settings::load_text(text, "f.yaml", environment(),
                            {.profile = profile, .strict = *profile != '\0', .catalogue = nullptr, .found = {}});
    if (loaded) {
      check_promises(*loaded);
      for (const auto& warning : loaded->warnings) require(may_show || warning.find("Qz") == warning.npos, "no secret");
      continue;
    }
    require(!loaded.error().empty(), "a refusal has a reason");
    const auto lines = settings::to_string(loaded.error());
    require(may_show || lines.find("Qz") == lines.npos, "no secret");
    for (const auto& problem : loaded.error()) {
      require(!problem.message.empty() && problem.line >= 0 && problem.column >= 0, "a problem has a place");
    }
  }
  (void)settings::load_prices(text, "p.yaml");
  return 0;
}
