#include "admission/key_ring.hpp"

#include <algorithm>
#include <cstring>

#include <weir/base/result.hpp>
#include "admission/key_text.hpp"
#include "base/digest.hpp"

namespace weir::admission {
namespace {

using Hash = std::array<unsigned char, 32>;

std::size_t first_bytes(const Hash& hash) {
  std::uint64_t first = 0;
  std::memcpy(&first, hash.data(), sizeof first);
  return static_cast<std::size_t>(first);
}

bool same(const Hash& a, const Hash& b) {
  unsigned char different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) different = static_cast<unsigned char>(different | (a[i] ^ b[i]));
  return different == 0;
}

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const std::string& allowed) { return allowed == name; });
}

}  // namespace

bool Key::may_ask_model(std::string_view model) const {
  if (settings.models.empty() || listed(settings.models, model)) return true;
  // `provider/*` takes every model of that provider.
  const std::size_t slash = model.find('/');
  if (slash == std::string_view::npos) return false;
  return std::ranges::any_of(settings.models, [&](std::string_view allowed) {
    return allowed.ends_with("/*") && allowed.size() == slash + 2 && allowed.substr(0, slash) == model.substr(0, slash);
  });
}

bool Key::may_ask_route(std::string_view route) const {
  return settings.routes.empty() || listed(settings.routes, route);
}

KeyRing::KeyRing(const std::vector<KeySettings>& keys) {
  std::size_t size = 16;
  while (size < keys.size() * 2) size *= 2;
  places_.assign(size, 0);
  keys_.reserve(keys.size());
  for (const KeySettings& settings : keys) {
    Key key{Caller{settings.name, settings.group, settings.zones}, settings, {}};
    WEIR_ENSURE(parse_key_hash(settings.hash, key.hash));
    std::size_t at = first_bytes(key.hash) & (size - 1);
    while (places_[at] != 0) at = (at + 1) & (size - 1);
    keys_.push_back(std::move(key));
    places_[at] = static_cast<std::uint32_t>(keys_.size());
  }
}

const Key* KeyRing::find(std::string_view given) const {
  const Hash hash = sha256(given);
  const std::size_t mask = places_.size() - 1;
  for (std::size_t at = first_bytes(hash) & mask; places_[at] != 0; at = (at + 1) & mask) {
    const Key& key = keys_[places_[at] - 1];
    if (same(key.hash, hash)) return &key;
  }
  return nullptr;
}

}  // namespace weir::admission
