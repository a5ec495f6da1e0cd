#include "app/banner.hpp"

#include <fmt/format.h>

namespace weir::app {
namespace {

std::string url_of(const net::ListenSettings& listen) {
  const bool any = listen.host == "0.0.0.0" || listen.host == "::";
  const std::string host = any                                          ? "127.0.0.1"
                           : listen.host.find(':') != std::string::npos ? "[" + listen.host + "]"
                                                                        : listen.host;
  return fmt::format("{}://{}:{}/v1", listen.certificate_file.empty() ? "http" : "https", host, listen.port);
}

}  // namespace

std::string banner(const settings::Settings& settings, const Source& source, std::size_t threads) {
  std::string text =
      fmt::format("weir {} on {} thread{}, settings from {}\n", WEIR_VERSION, threads, threads == 1 ? "" : "s",
                  source.file.empty() ? "the environment" : source.file.string());
  std::string first_url;
  for (const net::ListenSettings& listen : settings.listen) {
    const std::string url = url_of(listen);
    if (first_url.empty()) first_url = url;
    text += fmt::format("  clients    {}{}\n", url, settings.open ? "   open: whoever reaches it may use it" : "");
  }
  text += fmt::format("  operators  http://{}:{}/metrics\n", settings.admin.host, settings.admin.port);
  bool only_demo = true;
  for (const providers::ProviderSettings& provider : settings.providers) {
    const bool demo = provider.protocol == providers::Protocol::demo;
    if (!demo && provider.off_because.empty()) only_demo = false;
    const std::string state = !provider.off_because.empty() ? fmt::format("off: {} is not set", provider.off_because)
                              : demo                        ? "built in; its costs are simulated"
                                                            : provider.base_url;
    text += fmt::format("  provider   {:<12} {}{}\n", provider.name, state,
                        provider.name == settings.default_provider ? "   (default)" : "");
  }
  text += "  savings    none yet: this version forwards and meters\n";
  text += fmt::format("next: point an SDK's base_url at {}", first_url);
  if (only_demo) text += ", or set OPENAI_API_KEY for real answers";
  return text + "\n";
}

}  // namespace weir::app
