#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "catalogue/nearest.hpp"
#include "settings/build.hpp"
#include "settings/known_providers.hpp"
#include "settings/quantities.hpp"

namespace weir::settings {
namespace {

template <class Entries>
bool has(const Entries& entries, std::string_view name) {
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.name == name; });
}

template <class Entries>
std::string did_you_mean(const Entries& entries, std::string_view name) {
  catalogue::Nearest search{name};
  for (const auto& entry : entries) search.offer(entry.name);
  return search.best() ? fmt::format(". Did you mean \"{}\"?", *search.best()) : std::string{};
}

template <class Entries>
std::string all_of(const Entries& entries) {
  std::string list;
  for (const auto& entry : entries) list += (list.empty() ? "" : ", ") + entry.name;
  return list;
}

class References {
 public:
  References(Settings& settings, const Node& root, const std::string& file, const LoadOptions& options,
             std::vector<Problem>& problems)
      : settings_{settings}, root_{root}, file_{file}, options_{options}, problems_{problems} {}

  void run() {
    default_provider();
    for (const auto& model : settings_.models) of_model(model);
    for (auto& route : settings_.routes) of_route(route);
    image_hosts(root_.find("defaults"));
    listeners();
    for (const auto& provider : settings_.providers) of_provider(provider);
  }

 private:
  void default_provider() {
    const auto& name = settings_.default_provider;
    if (name.empty() || has(settings_.providers, name)) return;
    problem(value_place("default"), fmt::format("default: provider \"{}\" is not configured{}",
                                                shown(root_.find("default"), name), provider_hint(name)));
  }

  void of_model(const pipeline::ModelSettings& model) {
    const Node* node = entry("models", model.name);
    const Node* provider = node ? node->find("provider") : nullptr;
    if (provider && provider->kind == Node::Kind::scalar && !has(settings_.providers, model.provider)) {
      problem(provider->place, fmt::format("model {}: provider \"{}\" is not configured{}", model.name,
                                           shown(provider, model.provider), provider_hint(model.provider)));
    }
    const Node* places = node ? node->find("deployments") : nullptr;
    for (std::size_t i = 0; places && i < places->items.size(); ++i) {
      const Node* named = places->items[i].find("provider");
      if (!named || named->kind != Node::Kind::scalar || has(settings_.providers, named->text)) continue;
      problem(named->place, fmt::format("model {}: provider \"{}\" is not configured{}", model.name,
                                        shown(named, named->text), provider_hint(named->text)));
    }
    near_miss(model);
  }

  /// A name that the catalogue does not know but nearly does is most likely mistyped: its calls would have no price.
  void near_miss(const pipeline::ModelSettings& model) {
    const auto* catalogue = options_.catalogue;
    if (!catalogue || model.price.price || model.context != 0) return;
    const auto& places = model.deployments;
    if (!places.empty() && std::ranges::all_of(places, [](const auto& place) { return place.price.has_value(); }))
      return;
    if (catalogue->find_reply_model(model.id) || catalogue->find_reply_model(model.name)) return;
    const auto near = catalogue->nearest(model.id);
    if (near.empty()) return;
    settings_.warnings.push_back(
        fmt::format("model {}: no price is known for \"{}\". Did you mean \"{}\"? Else give it a price", model.name,
                    model.id, near));
  }

  void of_route(pipeline::RouteSettings& route) {
    const Node* section = root_.find("routes");
    if (has(settings_.models, route.name)) {
      const Key* key = section ? section->find_key(route.name) : nullptr;
      problem(key ? key->place : Place{},
              fmt::format("\"{}\" is both a route and a model: rename one of them", route.name));
    }
    const Node* node = entry("routes", route.name);
    const Node* fallback = node ? node->find("fallback") : nullptr;
    for (std::size_t i = 0; fallback && i < fallback->items.size() && i < route.fallback.size(); ++i) {
      of_name(route.name, fallback->items[i], route.fallback[i]);
    }
    const Node* model = node ? node->find("model") : nullptr;
    if (model) of_name(route.name, *model, route.model);
    image_hosts(node);
  }

  /// One that matches no URL would be found out by a caller.
  void image_hosts(const Node* way) {
    const Node* images = way ? way->find("fetch_images") : nullptr;
    const Node* hosts = images ? images->find("hosts") : nullptr;
    for (std::size_t i = 0; hosts && i < hosts->items.size(); ++i) {
      if (hosts->items[i].text.find_first_of("/*@ ?#") == std::string::npos) continue;
      problem(hosts->items[i].place, "fetch_images.hosts takes hosts, like images.example.com or cdn.example.com:8443");
    }
  }

  /// A model that a route names: under models, or provider/model.
  void of_name(const std::string& route_name, const Node& node, std::string& name) {
    const Node* model = &node;
    if (model->kind != Node::Kind::scalar || !model->unset.empty() || has(settings_.models, name)) return;
    if (const auto slash = name.find('/'); slash != name.npos) {
      const std::string_view provider = std::string_view{name}.substr(0, slash);
      if (has(settings_.providers, provider)) {
        if (slash + 1 == name.size())
          problem(model->place, fmt::format("route {}: no model after the slash", route_name));
        return;
      }
      return problem(model->place, fmt::format("route {}: \"{}\" is neither a model nor provider/model{}", route_name,
                                               shown(model, name), did_you_mean(settings_.models, name)));
    }
    for (const auto& provider : settings_.providers) {
      // `model: demo` is what one writes to try a route out.
      if (provider.name == name && provider.protocol == providers::Protocol::demo) {
        name += "/demo";
        return;
      }
    }
    if (has(settings_.routes, name)) {
      return problem(model->place,
                     fmt::format("route {}: \"{}\" is a route; name a model", route_name, shown(model, name)));
    }
    const auto near = did_you_mean(settings_.models, name);
    problem(model->place, fmt::format("route {}: model \"{}\" is not configured{}", route_name, shown(model, name),
                                      near.empty() ? ". Add it under models: or write provider/model" : near));
  }

  void listeners() {
    if (settings_.open || !settings_.keys.empty()) return;
    for (const auto& one : settings_.listen) {
      if (is_loopback(one.host)) continue;
      problem(
          value_place("listen"),
          fmt::format("listen: {}:{} is reachable from other machines, and anyone there could spend your money. Use "
                      "127.0.0.1, give the clients keys (weir keys new NAME), or write \"open: true\" if something "
                      "else keeps them out",
                      one.host.find(':') == std::string::npos ? one.host : "[" + one.host + "]", one.port));
    }
  }

  void of_provider(const providers::ProviderSettings& provider) {
    for (const auto& known : known_providers()) {
      if (known.protocol != providers::Protocol::openai || !provider.base_url.starts_with("http")) continue;
      if (known.base_url.starts_with(provider.base_url) && known.base_url != provider.base_url) {
        settings_.warnings.push_back(
            fmt::format("provider {}: base_url most likely lacks the end of {}", provider.name, known.base_url));
      }
    }
  }

  const Node* entry(std::string_view section, std::string_view name) const {
    const Node* node = root_.find(section);
    return node ? node->find(name) : nullptr;
  }
  Place value_place(std::string_view key) const {
    const Node* node = root_.find(key);
    return node ? node->place : Place{};
  }
  /// What came out of a variable may be a secret at the wrong place; only what the file says is repeated.
  static std::string shown(const Node* node, const std::string& value) {
    return node && node->written != value ? node->written : value;
  }
  /// What to do about a provider that is not there.
  std::string provider_hint(std::string_view name) const {
    if (auto near = did_you_mean(settings_.providers, name); !near.empty()) return near;
    const auto* known = find_known_provider(name);
    if (known && !known->variable.empty() && !root_.find("providers")) {
      return fmt::format(". Set {}, or add it under providers:", known->variable);
    }
    return fmt::format(". There are: {}", all_of(settings_.providers));
  }
  void problem(Place place, std::string message) {
    problems_.push_back({file_, place.line, place.column, std::move(message)});
  }

  Settings& settings_;
  const Node& root_;
  const std::string& file_;
  const LoadOptions& options_;
  std::vector<Problem>& problems_;
};

}  // namespace

void check_references(Settings& settings, const Node& root, const std::string& file, const LoadOptions& options,
                      std::vector<Problem>& problems) {
  References{settings, root, file, options, problems}.run();
}

}  // namespace weir::settings
