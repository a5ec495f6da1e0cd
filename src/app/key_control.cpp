#include "app/key_control.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <weir/base/clock.hpp>

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string_view> powers_of(const admission::KeySettings& key) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kPowerNames.size(); ++i) {
    if (key.may.has(static_cast<Power>(i))) names.push_back(kPowerNames[i]);
  }
  return names;
}

}  // namespace

Result<void> KeyControl::open(std::filesystem::path file, const std::vector<admission::KeySettings>& configured) {
  auto loaded = admission::load_key_changes(file);
  if (!loaded) return std::unexpected(loaded.error());
  file_ = std::move(file);
  changes_ = std::move(*loaded);
  admission::forget_old(unix_milliseconds(), configured, changes_);
  return {};
}

admin::ApiReply KeyControl::list(const std::vector<admission::KeySettings>& in_force) {
  const std::int64_t now = unix_milliseconds();
  Json keys = Json::array();
  for (const admission::KeySettings& key : in_force) {
    const bool ended = key.expires_unix_ms != 0 && key.expires_unix_ms <= now;
    keys.push_back({{"name", key.name},
                    {"group", key.group.empty() ? Json() : Json(key.group)},
                    {"state", ended                      ? "ended"
                              : key.expires_unix_ms != 0 ? "ending"
                                                         : "active"},
                    {"ends_unix_ms", key.expires_unix_ms == 0 ? Json() : Json(key.expires_unix_ms)},
                    {"models", key.models},
                    {"routes", key.routes},
                    {"zones", key.zones},
                    {"may", powers_of(key)},
                    {"hash_begins", key.hash.substr(0, 8)}});
  }
  return admin::api_body(Json{{"keys", std::move(keys)}}.dump());
}

admin::ApiReply KeyControl::keep(admission::KeyChanges changed, std::string body) {
  if (auto saved = admission::save_key_changes(file_, changed); !saved) {
    return admin::api_error(500, saved.error().message);
  }
  changes_ = std::move(changed);
  return admin::api_body(std::move(body));
}

admin::ApiReply KeyControl::revoke(const std::string& name, const std::vector<admission::KeySettings>& in_force) {
  admission::KeyChanges changed = changes_;
  const auto done = admission::revoke_key(name, unix_milliseconds(), in_force, changed);
  if (!done) return admin::api_error(404, done.error().message);
  return keep(std::move(changed), Json{{"name", name}, {"state", "ended"}}.dump());
}

admin::ApiReply KeyControl::rotate(const std::string& name, std::chrono::milliseconds grace,
                                   const std::vector<admission::KeySettings>& in_force) {
  admission::KeyChanges changed = changes_;
  const auto made = admission::rotate_key(name, unix_milliseconds(), grace.count(), in_force, changed);
  if (!made) return admin::api_error(404, made.error().message);
  return keep(std::move(changed),
              Json{{"name", name}, {"key", made->text}, {"line", settings_line(made->settings)}}.dump());
}

std::string settings_line(const admission::KeySettings& key) {
  std::string line = fmt::format("- {{name: {}, hash: \"sha256:{}\"", key.name, key.hash);
  const auto add = [&line](const char* what, const auto& names) {
    if (!names.empty()) line += fmt::format(", {}: [{}]", what, fmt::join(names, ", "));
  };
  if (!key.group.empty()) line += ", group: " + key.group;
  add("models", key.models);
  add("routes", key.routes);
  add("zones", key.zones);
  add("may", powers_of(key));
  return line + "}";
}

}  // namespace weir::app
