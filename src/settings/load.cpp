#include "settings/load.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "catalogue/nearest.hpp"
#include "settings/build.hpp"
#include "settings/check.hpp"
#include "settings/known_providers.hpp"
#include "settings/tree.hpp"
#include "settings/variables.hpp"

namespace weir::settings {
namespace {

/// Takes `profiles:` out of the tree and lays the chosen one over the rest.
void apply_profile(Node& root, const std::string& profile, const std::string& file, std::vector<Problem>& problems) {
  Node profiles;
  if (const Key* key = root.find_key("profiles")) {
    const auto at = key - root.keys.data();
    profiles = std::move(root.items[static_cast<std::size_t>(at)]);
    root.items.erase(root.items.begin() + at);
    root.keys.erase(root.keys.begin() + at);
    if (profiles.kind != Node::Kind::map && profiles.kind != Node::Kind::null) {
      problems.push_back({file, profiles.place.line, profiles.place.column, "profiles must have names below it"});
    }
  }
  if (profile.empty()) return;
  const Node* chosen = profiles.find(profile);
  if (!chosen) {
    catalogue::Nearest search{profile};
    for (const auto& key : profiles.keys) search.offer(key.text);
    const auto near = search.best();
    problems.push_back({file, profiles.place.line, profiles.place.column,
                        fmt::format("there is no profile \"{}\"{}", profile,
                                    near ? fmt::format(". Did you mean \"{}\"?", *near) : " under profiles")});
    return;
  }
  if (chosen->kind != Node::Kind::null) merge(root, *chosen);
}

Result<Settings, std::vector<Problem>> load(std::string_view text, const std::string& name,
                                            const std::filesystem::path& folder, const Environment& environment,
                                            const LoadOptions& options) {
  std::vector<Problem> problems;
  if (text.size() > (1U << 20)) return std::unexpected(std::vector<Problem>{{name, 0, 0, "is larger than 1 MiB"}});
  Node root = read_tree(text, name, problems);
  // What follows a syntax error is not read: more messages about it would be wrong ones.
  if (root.kind == Node::Kind::null && !problems.empty()) return std::unexpected(std::move(problems));
  apply_profile(root, options.profile, name, problems);
  replace_variables(root, environment, name, problems);
  check(root, name, problems);
  Settings settings = build(root, name, folder, environment, options, problems);
  check_references(settings, root, name, options, problems);
  if (problems.empty()) return settings;
  std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column, a.message) < std::tie(b.line, b.column, b.message);
  });
  // One mistake that two checks see is one line.
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return std::unexpected(std::move(problems));
}

}  // namespace

Result<Settings, std::vector<Problem>> load_file(const std::filesystem::path& path, const Environment& environment,
                                                 const LoadOptions& options) {
  const auto text =
      environment.read_file ? environment.read_file(path) : Result<std::string>{failure("cannot be read")};
  if (!text) return std::unexpected(std::vector<Problem>{{path.string(), 0, 0, text.error().message}});
  std::error_code ignored;
  // Absolute, so that a path in the settings still holds after the process changed its folder.
  const auto folder = std::filesystem::absolute(path, ignored).parent_path();
  auto settings = load(*text, path.string(), folder, environment, options);
  if (settings) settings->file = path;
  return settings;
}

Result<Settings, std::vector<Problem>> load_text(std::string_view text, const std::string& name,
                                                 const Environment& environment, const LoadOptions& options) {
  return load(text, name, {}, environment, options);
}

Settings from_environment(const Environment& environment, std::vector<providers::ProviderSettings> found) {
  Settings settings;
  settings.providers = providers_from(environment, std::move(found), settings.warnings);
  for (auto& provider : settings.providers) add_known_facts(provider);
  return settings;
}

std::vector<std::string> restart_only_changes(const Settings& old, const Settings& now) {
  std::vector<std::string> changed;
  const auto compare = [&](const char* path, const auto& before, const auto& after) {
    if (!(before == after)) changed.emplace_back(path);
  };
  const auto addresses = [](const Settings& settings) {
    std::vector<std::pair<std::string, std::uint16_t>> all;
    for (const auto& one : settings.listen) all.emplace_back(one.host, one.port);
    return all;
  };
  const auto files = [](const Settings& settings, std::string net::ListenSettings::* which) {
    std::vector<std::string> all;
    for (const auto& one : settings.listen) all.push_back(one.*which);
    return all;
  };
  compare("listen", addresses(old), addresses(now));
  compare("tls.cert", files(old, &net::ListenSettings::certificate_file),
          files(now, &net::ListenSettings::certificate_file));
  compare("tls.key", files(old, &net::ListenSettings::key_file), files(now, &net::ListenSettings::key_file));
  compare("admin.listen", std::pair{old.admin.host, old.admin.port}, std::pair{now.admin.host, now.admin.port});
  compare("admin.token", old.admin.token, now.admin.token);
  compare("metrics.labels", old.metrics, now.metrics);
  compare("stores.ledger", old.ledger.to, now.ledger.to);
  compare("stores.keys", old.keys_file, now.keys_file);
  compare("threads", old.threads, now.threads);
  compare("traces.endpoint", old.traces.endpoint, now.traces.endpoint);
  compare("traces.sample", old.traces.sample, now.traces.sample);
  compare("traces.headers.<header>", old.traces.headers, now.traces.headers);
  compare("limits.in_flight", old.limits.in_flight, now.limits.in_flight);
  compare("limits.bodies", old.limits.bodies_bytes, now.limits.bodies_bytes);
  return changed;
}

}  // namespace weir::settings
