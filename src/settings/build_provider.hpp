#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "providers/settings.hpp"
#include "settings/environment.hpp"
#include "settings/tree.hpp"

namespace weir::settings {

/// What one entry of `providers:` is read with.
struct ProviderReading {
  const Environment& environment;
  const std::filesystem::path& folder;  ///< of the settings file: paths are against it
  const std::function<void(Place, std::string)>& problem;
};

/// One entry without its timeouts and what is known of its kind; `off_because` only where it is not the file that lacks
/// a variable.
providers::ProviderSettings read_provider(const Key& key, const Node& node, const ProviderReading& reading);

}  // namespace weir::settings
