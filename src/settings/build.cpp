#include "settings/build.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <weir/exchange/limits.hpp>

#include "settings/build_price.hpp"
#include "settings/build_provider.hpp"
#include "settings/build_retry.hpp"
#include "settings/known_providers.hpp"
#include "settings/quantities.hpp"
#include "settings/reading.hpp"

namespace weir::settings {
namespace {

void set_timeouts(TimeoutOverrides& timeouts, const Node& node) {
  set(timeouts.connect, below(node, "timeouts", "connect"), &parse_duration);
  set(timeouts.between_bytes, below(node, "timeouts", "between_bytes"), &parse_duration);
  set(timeouts.total, below(node, "timeouts", "total"), &parse_duration);
  const Node* first = scalar(below(node, "timeouts", "first_byte"));
  if (first && first->text == "auto") {
    timeouts.first_byte = std::chrono::milliseconds{0};
  } else {
    set(timeouts.first_byte, first, &parse_duration);
  }
}

/// What a provider leaves open, `defaults:` fills: the order route > model > provider > default stays as it is.
void fill(TimeoutOverrides& timeouts, const TimeoutOverrides& defaults) {
  if (!timeouts.connect) timeouts.connect = defaults.connect;
  if (!timeouts.first_byte) timeouts.first_byte = defaults.first_byte;
  if (!timeouts.between_bytes) timeouts.between_bytes = defaults.between_bytes;
  if (!timeouts.total) timeouts.total = defaults.total;
}

/// What the list does not name, the model does not have.
ModelAbilities read_abilities(const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return {.stated = true,
          .certain = true,
          .images = has("images"),
          .documents = has("documents"),
          .tools = has("tools"),
          .schema = has("schema"),
          .reasoning = has("reasoning"),
          .streaming = has("streaming")};
}

/// The first unset variable in an entry, depth first.
const Node* find_unset(const Node& node) {
  if (!node.unset.empty()) return &node;
  for (const auto& item : node.items) {
    if (const Node* found = find_unset(item)) return found;
  }
  return nullptr;
}

class Build {
 public:
  Build(const Node& root, const std::string& file, const std::filesystem::path& folder, const LoadOptions& options,
        std::vector<Problem>& problems)
      : root_{root}, file_{file}, folder_{folder}, options_{options}, problems_{problems} {}

  Settings run(const Environment& environment) {
    listen();
    set(settings_.open, root_.find("open"), &parse_flag);
    admin();
    set(settings_.threads, root_.find("threads"), &parse_count);
    set(settings_.drain, root_.find("drain"), &parse_duration);
    set(settings_.default_provider, root_.find("default"));
    read_limits();
    log();
    traces();
    providers(environment);
    each("models", [&](const Key& key, const Node& node) { model(key, node); });
    each("routes", [&](const Key& key, const Node& node) { route(key, node); });
    build_keys(root_, file_, settings_, problems_);
    ledger();
    set_file(settings_.keys_file, below(root_, "stores", "keys"));
    set(settings_.deadline, below(root_, "defaults", "deadline"), &parse_duration);
    if (const Node* defaults = root_.find("defaults")) settings_.way_defaults = read_way(*defaults);
    settings_.retry = read_retry(root_);
    return std::move(settings_);
  }

 private:
  template <class Function>
  void each(std::string_view section, Function function) {
    const Node* node = root_.find(section);
    if (!node || node->kind != Node::Kind::map) return;
    for (std::size_t i = 0; i < node->keys.size(); ++i) function(node->keys[i], node->items[i]);
  }

  void set_file(std::string& value, const Node* node) {
    if (scalar(node)) value = folder_.empty() ? node->text : (folder_ / node->text).string();
  }

  void listen() {
    const Node* node = root_.find("listen");
    net::ListenSettings shared;
    tls(shared, root_.find("tls"), root_.find_key("tls"));
    settings_.listen.clear();
    if (node && node->kind == Node::Kind::list) {
      for (const auto& item : node->items) address(item, shared);
    } else if (node) {
      address(*node, shared);
    }
    if (settings_.listen.empty()) settings_.listen.push_back(shared);
  }

  void address(const Node& node, const net::ListenSettings& shared) {
    net::ListenSettings one = shared;
    if (node.kind == Node::Kind::map && node.find("tls")) {
      one.certificate_file.clear();
      one.key_file.clear();
      tls(one, node.find("tls"), node.find_key("tls"));
    }
    const Node* text = scalar(node.kind == Node::Kind::map ? node.find("address") : &node);
    if (!text) return;
    const auto parsed = parse_address(text->text);
    if (!parsed) return;
    one.host = parsed->host;
    one.port = parsed->port;
    for (const auto& other : settings_.listen) {
      if (other.host == one.host && other.port == one.port && one.port != 0) {
        problem(text->place, fmt::format("listen names {} twice", text->written));
      }
    }
    settings_.listen.push_back(std::move(one));
  }

  void tls(net::ListenSettings& one, const Node* node, const Key* key) {
    if (!node) return;
    set_file(one.certificate_file, node->find("cert"));
    set_file(one.key_file, node->find("key"));
    if (one.certificate_file.empty() != one.key_file.empty()) problem(key->place, "tls needs both cert and key");
  }

  void admin() {
    if (const Node* node = scalar(below(root_, "admin", "listen"))) {
      if (const auto parsed = parse_address(node->text)) {
        settings_.admin.host = parsed->host;
        settings_.admin.port = parsed->port;
      }
    }
    set(settings_.admin.token, below(root_, "admin", "token"));
  }

  void read_limits() {
    auto& limits = settings_.limits;
    set(limits.queue, below(root_, "queue", "max"), &parse_duration);
    const Node* node = root_.find("limits");
    if (!node) return;
    set(limits.body_bytes, node->find("body"), &parse_size);
    set(limits.head_bytes, node->find("head"), &parse_size);
    set(limits.connections, node->find("connections"), &parse_count);
    set(limits.in_flight, node->find("in_flight"), &parse_count);
    set(limits.bodies_bytes, node->find("bodies"), &parse_size);
    if (limits.bodies_bytes != 0 && limits.bodies_bytes < limits.body_bytes) {
      problem(node->find_key("bodies")->place, "limits.bodies must be at least limits.body: one body would not fit");
    }
    set(limits.head_time, node->find("head_time"), &parse_duration);
    set(limits.body_time, node->find("body_time"), &parse_duration);
    set(limits.idle, node->find("idle"), &parse_duration);
  }

  void ledger() {
    const Node* to = scalar(below(root_, "stores", "ledger"));
    if (!to) return;
    const bool file = to->text != "off" && to->text.find("://") == std::string::npos;
    if (file) {
      set_file(settings_.ledger.to, to);
    } else {
      settings_.ledger.to = to->text;
    }
  }

  void log() {
    const Node* to = scalar(below(root_, "log", "to"));
    if (to && (to->text == "stdout" || to->text == "stderr" || to->text == "off")) {
      settings_.log.to = to->text;
    } else {
      set_file(settings_.log.to, to);
    }
    const Node* level = scalar(below(root_, "log", "level"));
    if (!level) return;
    if (level->text == "debug") settings_.log.level = telemetry::LogLevel::debug;
    if (level->text == "info") settings_.log.level = telemetry::LogLevel::info;
    if (level->text == "warning") settings_.log.level = telemetry::LogLevel::warning;
    if (level->text == "error") settings_.log.level = telemetry::LogLevel::error;
  }

  void traces() {
    const Node* node = root_.find("traces");
    if (!node) return;
    set(settings_.traces.endpoint, node->find("endpoint"), &parse_base_url);
    set(settings_.traces.sample, node->find("sample"), &parse_decimal);
    set_headers(settings_.traces.headers, node->find("headers"));
  }

  static void set_headers(std::vector<std::pair<std::string, std::string>>& headers, const Node* node) {
    if (!node) return;
    for (std::size_t i = 0; i < node->keys.size(); ++i) {
      if (const Node* value = scalar(&node->items[i])) headers.emplace_back(node->keys[i].text, value->text);
    }
  }

  void providers(const Environment& environment) {
    TimeoutOverrides defaults;
    if (const Node* node = root_.find("defaults")) set_timeouts(defaults, *node);
    const Node* section = root_.find("providers");
    if (!section || section->items.empty()) {
      settings_.providers = providers_from(environment, options_.found, settings_.warnings);
    } else {
      each("providers", [&](const Key& key, const Node& node) { provider(key, node, environment); });
      add_demo(settings_.providers);
    }
    for (auto& provider : settings_.providers) {
      fill(provider.timeouts, defaults);
      add_known_facts(provider);
    }
  }

  void provider(const Key& key, const Node& node, const Environment& environment) {
    const std::function<void(Place, std::string)> report = [this](Place place, std::string message) {
      problem(place, std::move(message));
    };
    providers::ProviderSettings one = read_provider(key, node, {environment, folder_, report});
    const Node* unset = find_unset(node);
    if (unset) one.off_because = unset->unset;
    if (!one.off_because.empty()) {
      auto message = fmt::format("provider {} is off: {} is not set", key.text, one.off_because);
      if (options_.strict) problem(unset ? unset->place : key.place, message);
      settings_.warnings.push_back(std::move(message));
    }
    set_headers(one.headers, node.find("headers"));
    set_file(one.ca_file, below(node, "tls", "ca"));
    set(one.verify, below(node, "tls", "verify"), &parse_flag);
    set(one.connections_max, below(node, "connections", "max"), &parse_count);
    set(one.connections_idle, below(node, "connections", "idle"), &parse_duration);
    set_timeouts(one.timeouts, node);
    settings_.providers.push_back(std::move(one));
  }

  void model(const Key& key, const Node& node) {
    pipeline::ModelSettings one;
    one.name = key.text;
    one.id = key.text;
    set(one.provider, node.find("provider"));
    if (!node.find("provider") && !node.find("deployments")) {
      problem(key.place, fmt::format("model {} has no provider: write {{provider: NAME}}", key.text));
    }
    set(one.id, node.find("id"));
    one.price.price = price(node, key.text);
    set(one.context, node.find("context"), &parse_count);
    if (node.find("abilities")) one.abilities = read_abilities(read_names(node.find("abilities")));
    set_timeouts(one.timeouts, node);
    read_places(one, node);
    if (const Node* places = node.find("deployments")) {
      for (std::size_t i = 0; i < places->items.size(); ++i) {
        one.deployments[i].price = price(places->items[i], fmt::format("{}, deployment {}", key.text, i + 1));
      }
    }
    if (const Key* places = node.find_key("deployments")) {
      if (node.find("provider"))
        problem(places->place, fmt::format("model {}: provider or deployments, not both", key.text));
      if (node.find("max_in_flight")) {
        problem(places->place, fmt::format("model {}: max_in_flight belongs to each deployment", key.text));
      }
      for (const auto& place : one.deployments) {
        if (place.provider.empty())
          problem(places->place, fmt::format("model {}: a deployment has no provider", key.text));
      }
      if (one.deployments.size() > limits::plan_places_max) {
        problem(places->place, fmt::format("model {}: at most {} deployments", key.text, limits::plan_places_max));
      }
      if (one.deployments.empty())
        problem(places->place, fmt::format("model {}: deployments names no place", key.text));
      if (!one.deployments.empty()) one.provider = one.deployments.front().provider;
    }
    settings_.models.push_back(std::move(one));
  }

  std::optional<Price> price(const Node& node, std::string_view of) {
    return read_price(node, of, [this](Place place, std::string message) { problem(place, std::move(message)); });
  }

  void route(const Key& key, const Node& node) {
    pipeline::RouteSettings one;
    one.name = key.text;
    set(one.model, node.find("model"));
    set(one.task, node.find("task"));
    set(one.deadline, node.find("deadline"), &parse_duration);
    set(one.keep_text, below(root_, "defaults", "keep_text"), &parse_duration);
    set(one.keep_text, node.find("keep_text"), &parse_duration);
    const Node* key_of = scalar(node.find("key"));
    one.pass_key = key_of && key_of->text == "caller";
    set_timeouts(one.timeouts, node);
    one.way = read_way(node);
    one.fallback = read_names(node.find("fallback"));
    if (one.fallback.size() >= limits::plan_places_max) {
      problem(node.find_key("fallback")->place,
              fmt::format("route {}: fallback names at most {} models", key.text, limits::plan_places_max - 1));
    }
    const bool planned = node.find("tiers") || node.find("split") || node.find("choose");
    if (!node.find("model") && !planned) {
      problem(key.place, fmt::format("route {} has no model: write {{model: NAME}}", key.text));
    } else if (node.find("model") && planned) {
      problem(key.place, fmt::format("route {} must have exactly one of model, tiers, split, choose", key.text));
    }
    settings_.routes.push_back(std::move(one));
  }

  void problem(Place place, std::string message) {
    problems_.push_back({file_, place.line, place.column, std::move(message)});
  }

  const Node& root_;
  const std::string& file_;
  const std::filesystem::path& folder_;
  const LoadOptions& options_;
  std::vector<Problem>& problems_;
  Settings settings_;
};

}  // namespace

Settings build(const Node& root, const std::string& file, const std::filesystem::path& folder,
               const Environment& environment, const LoadOptions& options, std::vector<Problem>& problems) {
  return Build{root, file, folder, options, problems}.run(environment);
}

}  // namespace weir::settings
