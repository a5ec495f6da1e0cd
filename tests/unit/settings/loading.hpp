#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "settings/load.hpp"

namespace weir::settings::testing {

/// Variables and files of a test.
struct World {
  std::map<std::string, std::string, std::less<>> variables;
  std::map<std::string, std::string, std::less<>> files;

  Environment environment() const {
    return {.variable = [this](std::string_view name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional{found->second};
            },
            .read_file = [this](const std::filesystem::path& path) -> Result<std::string> {
              const auto found = files.find(path.string());
              if (found == files.end()) return failure("cannot be read: No such file or directory");
              return found->second;
            }};
  }
};

/// The settings of a text that must have no problem.
inline Settings good(std::string_view text, const World& world = {}, const LoadOptions& options = {}) {
  auto settings = load_text(text, "weir.yaml", world.environment(), options);
  if (settings) return *settings;
  ADD_FAILURE() << to_string(settings.error());
  return {};
}

/// The problems of a text that must have some, one line each.
inline std::string bad(std::string_view text, const World& world = {}, const LoadOptions& options = {}) {
  const auto settings = load_text(text, "weir.yaml", world.environment(), options);
  return settings ? "no problem\n" : to_string(settings.error());
}

inline std::string warnings(const Settings& settings) {
  std::string all;
  for (const auto& warning : settings.warnings) all += warning + '\n';
  return all;
}

}  // namespace weir::settings::testing
