#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "settings/environment.hpp"
#include "settings/load.hpp"
#include "settings/problem.hpp"
#include "settings/settings.hpp"
#include "settings/tree.hpp"

namespace weir::settings {

/// Turns a tree that check() has seen into settings. Values with a problem keep their default: they are reported
/// already, and the rest is still worth looking at. Adds problems of whole entries (a model without a provider).
Settings build(const Node& root, const std::string& file, const std::filesystem::path& folder,
               const Environment& environment, const LoadOptions& options, std::vector<Problem>& problems);

/// `keys:` and `groups:`, with what must hold between them.
void build_keys(const Node& root, const std::string& file, Settings& settings, std::vector<Problem>& problems);

/// Problems and warnings that need several entries at once: names in two places, references to nothing, an open
/// listener.
void check_references(Settings& settings, const Node& root, const std::string& file, const LoadOptions& options,
                      std::vector<Problem>& problems);

}  // namespace weir::settings
