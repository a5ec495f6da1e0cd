#include "admission/key_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admission/key_text.hpp"

namespace weir::admission {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const KeySettings& key) {
  Json json{{"name", key.name}, {"hash", "sha256:" + key.hash}};
  if (!key.group.empty()) json["group"] = key.group;
  if (!key.models.empty()) json["models"] = key.models;
  if (!key.routes.empty()) json["routes"] = key.routes;
  if (!key.zones.empty()) json["zones"] = key.zones;
  for (std::size_t i = 0; i < kPowerNames.size(); ++i) {
    if (key.may.has(static_cast<Power>(i))) json["may"].push_back(kPowerNames[i]);
  }
  if (key.expires_unix_ms != 0) json["expires_unix_ms"] = key.expires_unix_ms;
  return json;
}

KeySettings from_json(const Json& json) {
  KeySettings key;
  key.name = json.at("name");
  const std::string hash = json.at("hash");
  std::array<unsigned char, 32> bytes{};
  if (!hash.starts_with("sha256:") || !parse_key_hash(std::string_view(hash).substr(7), bytes)) {
    throw std::runtime_error("a hash is none");
  }
  key.hash = hash.substr(7);
  key.group = json.value("group", "");
  key.models = json.value("models", std::vector<std::string>{});
  key.routes = json.value("routes", std::vector<std::string>{});
  key.zones = json.value("zones", std::vector<std::string>{});
  for (const std::string& power : json.value("may", std::vector<std::string>{})) {
    const auto found = std::ranges::find(kPowerNames, power);
    if (found != kPowerNames.end()) key.may.add(static_cast<Power>(found - kPowerNames.begin()));
  }
  key.expires_unix_ms = json.value("expires_unix_ms", std::int64_t{0});
  return key;
}

std::unexpected<Error> cannot(const char* what, const std::filesystem::path& file, int error) {
  return failure(fmt::format("stores.keys: cannot {} {}: {}", what, file.string(), std::strerror(error)));
}

/// Not yet ended, by name.
std::vector<const KeySettings*> living(std::string_view name, std::int64_t now_unix_ms,
                                       const std::vector<KeySettings>& in_force) {
  std::vector<const KeySettings*> found;
  for (const KeySettings& key : in_force) {
    if (key.name == name && (key.expires_unix_ms == 0 || key.expires_unix_ms > now_unix_ms)) found.push_back(&key);
  }
  return found;
}

std::unexpected<Error> nobody(std::string_view name) {
  return failure(fmt::format("there is no key called {} (weir keys list shows all)", name));
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:/@+-").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<KeyChanges> load_key_changes(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) {
    if (errno == ENOENT) return KeyChanges{};
    return cannot("read", file, errno);
  }
  std::ostringstream text;
  text << in.rdbuf();
  try {
    const Json json = Json::parse(text.str());
    KeyChanges changes;
    for (const Json& key : json.at("keys")) changes.made.push_back(from_json(key));
    for (const auto& [hash, ends] : json.at("ends").items()) changes.ends.emplace(hash, ends.get<std::int64_t>());
    return changes;
  } catch (const std::exception&) {
    // Its content is not repeated. Ignoring it would let revoked keys in again.
    return failure(
        fmt::format("stores.keys: {} is not what weir wrote; mend it, or take it away (keys that were revoked "
                    "at run time would then work again)",
                    file.string()));
  }
}

Result<void> save_key_changes(const std::filesystem::path& file, const KeyChanges& changes) {
  Json json{{"keys", Json::array()}, {"ends", Json::object()}};
  for (const KeySettings& key : changes.made) json["keys"].push_back(to_json(key));
  for (const auto& [hash, ends] : changes.ends) json["ends"][hash] = ends;
  const std::string text = json.dump(2) + "\n";
  std::filesystem::path beside = file;
  beside += ".new";
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return cannot("write", beside, errno);
  int error = 0;
  for (std::size_t at = 0; at < text.size() && error == 0;) {
    const ssize_t wrote = write(descriptor, text.data() + at, text.size() - at);
    if (wrote < 0 && errno != EINTR) error = errno;
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
  }
  if (error == 0 && fsync(descriptor) != 0) error = errno;
  close(descriptor);
  if (error == 0 && rename(beside.c_str(), file.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(beside.c_str());
  return cannot("write", file, error);
}

std::vector<KeySettings> keys_in_force(const std::vector<KeySettings>& configured, const KeyChanges& changes) {
  std::vector<KeySettings> all = configured;
  for (const KeySettings& made : changes.made) {
    // The line was pasted into the settings meanwhile: what stands there counts.
    const bool pasted = std::ranges::any_of(configured, [&](const KeySettings& key) { return key.hash == made.hash; });
    if (!pasted) all.push_back(made);
  }
  for (KeySettings& key : all) {
    const auto ends = changes.ends.find(key.hash);
    if (ends == changes.ends.end()) continue;
    if (key.expires_unix_ms == 0 || ends->second < key.expires_unix_ms) key.expires_unix_ms = ends->second;
  }
  return all;
}

Result<NewKey> make_key(std::string_view name, std::string_view group) {
  if (!good_name(name) || (!group.empty() && !good_name(group))) {
    return failure("a name may have A-Z a-z 0-9 and _ . : / @ + - only, and at most 128 characters");
  }
  NewKey made{make_key_text(), {}};
  made.settings.name = name;
  made.settings.group = group;
  made.settings.hash = hash_of_key(made.text);
  return made;
}

Result<void> revoke_key(std::string_view name, std::int64_t now_unix_ms, const std::vector<KeySettings>& in_force,
                        KeyChanges& changes) {
  const auto keys = living(name, now_unix_ms, in_force);
  if (keys.empty()) return nobody(name);
  for (const KeySettings* key : keys) changes.ends[key->hash] = now_unix_ms;
  return {};
}

Result<NewKey> rotate_key(std::string_view name, std::int64_t now_unix_ms, std::int64_t grace_ms,
                          const std::vector<KeySettings>& in_force, KeyChanges& changes) {
  const auto keys = living(name, now_unix_ms, in_force);
  if (keys.empty()) return nobody(name);
  NewKey made{make_key_text(), *keys.back()};
  made.settings.hash = hash_of_key(made.text);
  made.settings.expires_unix_ms = 0;
  for (const KeySettings* key : keys) {
    const std::int64_t ends = now_unix_ms + grace_ms;
    if (key->expires_unix_ms == 0 || ends < key->expires_unix_ms) changes.ends[key->hash] = ends;
  }
  changes.made.push_back(made.settings);
  return made;
}

void forget_old(std::int64_t now_unix_ms, const std::vector<KeySettings>& configured, KeyChanges& changes) {
  constexpr std::int64_t kept_ms = std::int64_t{90} * 24 * 3'600 * 1'000;
  std::erase_if(changes.ends, [&](const auto& entry) {
    const auto& [hash, ends] = entry;
    if (ends + kept_ms > now_unix_ms) return false;
    if (std::ranges::any_of(configured, [&](const KeySettings& key) { return key.hash == hash; })) return false;
    std::erase_if(changes.made, [&](const KeySettings& key) { return key.hash == hash; });
    return true;
  });
}

}  // namespace weir::admission
