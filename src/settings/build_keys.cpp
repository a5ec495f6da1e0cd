#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "catalogue/nearest.hpp"
#include "settings/build.hpp"
#include "settings/build_retry.hpp"
#include "settings/quantities.hpp"
#include "settings/reading.hpp"

namespace weir::settings {
namespace {

class Keys {
 public:
  Keys(const Node& root, const std::string& file, Settings& settings, std::vector<Problem>& problems)
      : root_{root}, file_{file}, settings_{settings}, problems_{problems} {}

  void run() {
    for (const std::string& label : read_names(below(root_, "metrics", "labels"))) {
      settings_.metrics.group |= label == "group";
      settings_.metrics.key |= label == "key";
    }
    groups();
    const Node* section = root_.find("keys");
    if (section == nullptr || section->kind != Node::Kind::list) return;
    for (const Node& item : section->items) key(item);
  }

 private:
  void groups() {
    const Node* section = root_.find("groups");
    if (section == nullptr || section->kind != Node::Kind::map) return;
    for (std::size_t i = 0; i < section->keys.size(); ++i) {
      admission::GroupSettings group;
      group.name = section->keys[i].text;
      set(group.parent, section->items[i].find("parent"));
      settings_.groups.push_back(std::move(group));
    }
    for (std::size_t i = 0; i < section->keys.size(); ++i) parent(section->keys[i], section->items[i].find("parent"));
  }

  void parent(const Key& key, const Node* node) {
    if (!scalar(node)) return;
    if (!known_group(node->text)) return problem(node->place, no_group(fmt::format("group {}", key.text), *node));
    // Groups nest; a circle would have no outermost budget.
    std::string_view at = node->text;
    for (std::size_t steps = 0; !at.empty(); ++steps) {
      if (at == key.text || steps > settings_.groups.size()) {
        return problem(node->place, fmt::format("group {} is its own parent, by way of {}", key.text, node->text));
      }
      at = parent_of(at);
    }
  }

  void key(const Node& node) {
    if (node.kind != Node::Kind::map) return;
    admission::KeySettings key;
    set(key.name, node.find("name"));
    if (key.name.empty()) return problem(node.place, "a key needs a name: {name: …, hash: \"sha256:…\"}");
    set(key.hash, node.find("hash"), &parse_key_hash);
    if (key.hash.empty()) {
      if (!node.find("hash"))
        problem(node.place, fmt::format("key {} has no hash; weir keys new {} prints one", key.name, key.name));
      return;
    }
    const Node* group = scalar(node.find("group"));
    set(key.group, group);
    if (group && !known_group(group->text)) problem(group->place, no_group(fmt::format("key {}", key.name), *group));
    key.models = read_names(node.find("models"));
    key.routes = read_names(node.find("routes"));
    key.zones = read_names(node.find("zones"));
    for (const std::string& power : read_names(node.find("may"))) {
      const auto found = std::ranges::find(kPowerNames, power);
      if (found != kPowerNames.end()) key.may.add(static_cast<Power>(found - kPowerNames.begin()));
    }
    set(key.expires_unix_ms, node.find("expires"), &parse_date);
    names(key, node);
    for (const admission::KeySettings& other : settings_.keys) {
      if (other.hash == key.hash)
        problem(node.place, fmt::format("keys {} and {} have one hash: each key is one name", other.name, key.name));
    }
    settings_.keys.push_back(std::move(key));
  }

  /// A mistyped route would silently allow nothing.
  void names(const admission::KeySettings& key, const Node& node) {
    const Node* routes = node.find("routes");
    for (const std::string& name : key.routes) {
      if (std::ranges::any_of(settings_.routes, [&](const auto& route) { return route.name == name; })) continue;
      catalogue::Nearest search{name};
      for (const auto& route : settings_.routes) search.offer(route.name);
      const auto near = search.best();
      problem(routes->place, fmt::format("key {}: there is no route \"{}\"{}", key.name, name,
                                         near ? fmt::format(". Did you mean \"{}\"?", *near) : ""));
    }
  }

  bool known_group(std::string_view name) const {
    return std::ranges::any_of(settings_.groups, [&](const auto& group) { return group.name == name; });
  }
  std::string_view parent_of(std::string_view name) const {
    for (const auto& group : settings_.groups) {
      if (group.name == name) return group.parent;
    }
    return {};
  }
  std::string no_group(const std::string& whose, const Node& node) const {
    catalogue::Nearest search{node.text};
    for (const auto& group : settings_.groups) search.offer(group.name);
    const auto near = search.best();
    return fmt::format("{}: there is no group \"{}\"{}", whose, node.written,
                       near ? fmt::format(". Did you mean \"{}\"?", *near) : ". Add it under groups:");
  }
  void problem(Place place, std::string message) {
    problems_.push_back({file_, place.line, place.column, std::move(message)});
  }

  const Node& root_;
  const std::string& file_;
  Settings& settings_;
  std::vector<Problem>& problems_;
};

}  // namespace

void build_keys(const Node& root, const std::string& file, Settings& settings, std::vector<Problem>& problems) {
  Keys{root, file, settings, problems}.run();
}

}  // namespace weir::settings
