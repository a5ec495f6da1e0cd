#pragma once
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "catalogue/catalogue.hpp"
#include "settings/environment.hpp"
#include "settings/problem.hpp"
#include "settings/settings.hpp"

namespace weir::settings {

struct LoadOptions {
  std::string profile;                              ///< `--profile P`: profiles.P is laid over the file; empty = none
  bool strict = false;                              ///< `--strict`: a provider that is off is a problem
  const catalogue::Catalogue* catalogue = nullptr;  ///< for warnings about mistyped model names; may be null
  /// Servers that answered (Ollama): used where the file has no `providers:`.
  std::vector<providers::ProviderSettings> found;
};

/// Reads, checks and fills in. All problems of a file are reported at once; a file with any problem gives no settings.
/// Without `providers:` in the file they come from the environment, as without a file.
/// No thread of its own, no state: safe to call again on reload.
Result<Settings, std::vector<Problem>> load_file(const std::filesystem::path& path, const Environment& environment,
                                                 const LoadOptions& options = {});

/// The same from memory. `name` stands in messages; relative paths in the settings stay relative.
Result<Settings, std::vector<Problem>> load_text(std::string_view text, const std::string& name,
                                                 const Environment& environment, const LoadOptions& options = {});

/// No file: a provider for each known key in the environment, then `found`, then `demo`.
Settings from_environment(const Environment& environment, std::vector<providers::ProviderSettings> found = {});

/// The settings that differ and that a running process cannot take over: a reload that changes one is refused whole
/// and names them (RULINGS 18).
std::vector<std::string> restart_only_changes(const Settings& old, const Settings& now);

}  // namespace weir::settings
