#include "app/blueprint.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "app/load.hpp"

namespace weir::app {
namespace {

/// Host and port of a base_url that the settings have checked already.
void take_authority(const std::string& base_url, net::UpstreamAddress& address, bool& secure) {
  const std::string_view url = base_url;
  secure = url.starts_with("https://");
  std::string_view authority = url.substr(url.find("://") + 3);
  authority = authority.substr(0, authority.find('/'));
  address.port = secure ? 443 : 80;
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), address.port);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[')) authority = authority.substr(1, authority.size() - 2);
  address.host = authority;
}

Result<std::shared_ptr<net::UpstreamAddress>> make_address(const providers::ProviderSettings& settings) {
  auto address = std::make_shared<net::UpstreamAddress>();
  bool secure = false;
  take_authority(settings.base_url, *address, secure);
  address->connections_max = settings.connections_max;
  address->idle = settings.connections_idle;
  if (secure) {
    auto tls = net::make_client_tls(settings.ca_file, settings.verify);
    if (!tls) return failure(fmt::format("providers.{}.{}", settings.name, tls.error().message));
    address->tls = std::move(*tls);
  }
  return address;
}

Result<std::shared_ptr<const providers::ServiceAccount>> read_account(const providers::ProviderSettings& settings) {
  std::ifstream file(settings.vertex.service_account, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto where = fmt::format("providers.{}.service_account: {}", settings.name, settings.vertex.service_account);
  if (!file) return failure(where + " cannot be read");
  auto account = providers::read_service_account(text);
  if (!account) return failure(fmt::format("{} {}", where, account.error().message));
  return std::make_shared<const providers::ServiceAccount>(std::move(*account));
}

bool fetches_images(const settings::Settings& settings) {
  const auto does = [](const pipeline::WaySettings& way) { return way.image_hosts && !way.image_hosts->empty(); };
  return does(settings.way_defaults) ||
         std::ranges::any_of(settings.routes, [&](const auto& route) { return does(route.way); });
}

}  // namespace

Result<std::shared_ptr<const Blueprint>> Blueprint::make(settings::Settings settings,
                                                         std::shared_ptr<const catalogue::Catalogue> catalogue,
                                                         const admission::KeyChanges& key_changes,
                                                         const Blueprint* previous) {
  auto blueprint = std::make_shared<Blueprint>();
  blueprint->settings = std::move(settings);
  blueprint->catalogue = std::move(catalogue);
  blueprint->meter = std::make_unique<accounting::Meter>(blueprint->catalogue.get());
  blueprint->set_keys(key_changes);
  for (const providers::ProviderSettings& provider : blueprint->settings.providers) {
    ProviderPart part{provider, provider.ca_file.empty() ? "" : file_stamp(provider.ca_file), nullptr, nullptr};
    if (previous != nullptr) {
      for (const ProviderPart& old : previous->providers) {
        if (old.settings == provider && old.authorities == part.authorities) part.address = old.address;
      }
    }
    if (!part.address && provider.off_because.empty() && provider.protocol != providers::Protocol::demo) {
      auto address = make_address(provider);
      if (!address) return std::unexpected(address.error());
      part.address = std::move(*address);
    }
    if (provider.off_because.empty() && provider.protocol == providers::Protocol::vertex) {
      auto account = read_account(provider);
      if (!account) return std::unexpected(account.error());
      part.service_account = std::move(*account);
    }
    blueprint->providers.push_back(std::move(part));
  }
  if (fetches_images(blueprint->settings)) {
    auto tls = net::make_client_tls({}, true);
    if (!tls) return failure("fetch_images: " + tls.error().message);
    blueprint->image_tls = std::move(*tls);
  }
  for (const net::ListenSettings& listen : blueprint->settings.listen) {
    if (listen.certificate_file.empty()) {
      blueprint->listener_tls.push_back(nullptr);
      continue;
    }
    auto tls = net::make_server_tls(listen.certificate_file, listen.key_file);
    if (!tls) return failure("listen: " + tls.error().message);
    blueprint->listener_tls.push_back(std::move(*tls));
  }
  return blueprint;
}

std::shared_ptr<const Blueprint> Blueprint::with_keys(const admission::KeyChanges& key_changes) const {
  auto other = std::make_shared<Blueprint>();
  other->settings = settings;
  other->catalogue = catalogue;
  other->meter = std::make_unique<accounting::Meter>(catalogue.get());
  other->providers = providers;
  other->image_tls = image_tls;
  other->listener_tls = listener_tls;
  other->set_keys(key_changes);
  return other;
}

void Blueprint::set_keys(const admission::KeyChanges& key_changes) {
  keys = admission::keys_in_force(settings.keys, key_changes);
  if (keys.empty()) {
    door = std::make_unique<admission::OpenDoor>();
  } else {
    door = std::make_unique<admission::Keeper>(std::make_shared<const admission::KeyRing>(keys));
  }
}

}  // namespace weir::app
