#include "pipeline/resolve/router.hpp"

#include <utility>

#include <fmt/format.h>

#include <weir/base/result.hpp>
#include "catalogue/nearest.hpp"

namespace weir::pipeline {
namespace {

constexpr std::string_view kDemoPricedAs = "gpt-4o-mini";  // RULINGS 22: what the demo books for a name without a price

Ending off(const ProviderEntry& provider) {
  Ending ending;
  ending.failure = Failure::gateway_busy;
  ending.code = "provider_off";
  ending.message = fmt::format("provider {} is off because {} is not set; set it and reload weir", provider.name,
                               provider.off_because);
  return ending;
}

}  // namespace

Router::Router(Names names, const catalogue::Catalogue& catalogue) : names_(std::move(names)), catalogue_(catalogue) {
  const ProviderEntry* only = nullptr;
  std::size_t on = 0;
  for (const ProviderEntry& provider : names_.providers) {
    if (!provider.off_because.empty() || provider.demo) continue;
    only = &provider;
    ++on;
  }
  if (on == 0) {
    for (const ProviderEntry& provider : names_.providers) {
      if (provider.demo) only = &provider;
    }
  }
  fallback_ = !names_.default_provider.empty() ? provider_named(names_.default_provider) : on <= 1 ? only : nullptr;
  for (const ModelSettings& model : names_.models) add_model(model);
  for (const RouteSettings& route : names_.routes) add_route(route);
}

const ProviderEntry* Router::provider_named(std::string_view name) const {
  for (const ProviderEntry& provider : names_.providers) {
    if (provider.name == name) return &provider;
  }
  return nullptr;
}

Plan Router::plan_for(const ProviderEntry& provider, std::string_view upstream_model) const {
  Plan plan;
  plan.target.provider = provider.provider;
  plan.target.provider_name = provider.name;
  plan.target.model = upstream_model;
  plan.target.upstream_model = upstream_model;
  plan.target.time_limits = provider.time_limits;
  const catalogue::ModelFacts* facts = catalogue_.find_reply_model(upstream_model);
  if (facts == nullptr && provider.demo) facts = catalogue_.find_reply_model(kDemoPricedAs);
  if (facts != nullptr) plan.target.id_price = &facts->price;
  if (names_.deadline) plan.deadline = *names_.deadline;
  return plan;
}

void Router::add_model(const ModelSettings& model) {
  const ProviderEntry* provider = provider_named(model.provider);
  WEIR_ENSURE(provider != nullptr);
  Entry entry{plan_for(*provider, model.id.empty() ? model.name : model.id), provider};
  entry.plan.target.model = model.name;
  model.timeouts.apply_to(entry.plan.target.time_limits);
  if (model.price.price) entry.plan.target.own_price = &*model.price.price;
  const catalogue::ModelFacts* facts = catalogue_.find_reply_model(model.name);
  if (facts != nullptr) entry.plan.target.name_price = &facts->price;
  models_.emplace(model.name, entry);
  listed_.push_back({model.name, provider->name});
}

void Router::add_route(const RouteSettings& route) {
  Entry entry;
  const auto model = models_.find(route.model);
  if (model != models_.end()) {
    entry = model->second;
  } else {
    const std::size_t slash = route.model.find('/');
    WEIR_ENSURE(slash != std::string::npos);
    entry.provider = provider_named(std::string_view(route.model).substr(0, slash));
    WEIR_ENSURE(entry.provider != nullptr);
    entry.plan = plan_for(*entry.provider, std::string_view(route.model).substr(slash + 1));
  }
  entry.plan.route = route.name;
  entry.plan.task = route.task;
  route.timeouts.apply_to(entry.plan.target.time_limits);
  if (route.deadline) entry.plan.deadline = *route.deadline;
  if (route.keep_text) entry.plan.keep_text = std::chrono::ceil<std::chrono::seconds>(*route.keep_text);
  entry.plan.pass_key = route.pass_key;
  routes_.emplace(route.name, entry);
  listed_.push_back({route.name, "weir"});
}

std::optional<Ending> Router::take(const Entry& entry, Plan& plan) const {
  if (entry.provider->provider == nullptr) return off(*entry.provider);
  plan = entry.plan;
  return std::nullopt;
}

std::optional<Ending> Router::take(const ProviderEntry& provider, std::string_view upstream_model, Plan& plan) const {
  if (provider.provider == nullptr) return off(provider);
  plan = plan_for(provider, upstream_model);
  return std::nullopt;
}

std::optional<Ending> Router::resolve(std::string_view route, std::string_view model, Plan& plan) const {
  if (!route.empty()) {
    const auto named = routes_.find(route);
    if (named == routes_.end()) return not_found("route", route);
    return take(named->second, plan);
  }
  if (const auto named = routes_.find(model); named != routes_.end()) return take(named->second, plan);
  if (const auto named = models_.find(model); named != models_.end()) return take(named->second, plan);
  if (const std::size_t slash = model.find('/'); slash != std::string_view::npos && slash + 1 < model.size()) {
    const ProviderEntry* provider = provider_named(model.substr(0, slash));
    if (provider != nullptr) return take(*provider, model.substr(slash + 1), plan);
  }
  if (fallback_ != nullptr) return take(*fallback_, model, plan);
  return not_found("model", model);
}

std::optional<Ending> Router::resolve_default(Plan& plan) const {
  if (fallback_ != nullptr) {
    const std::optional<Ending> refused = take(*fallback_, {}, plan);
    plan.target.id_price = nullptr;
    return refused;
  }
  Ending ending;
  ending.failure = Failure::client_not_found;
  ending.code = "no_default_provider";
  ending.message = "no provider takes this path: set default: to the provider that should";
  return ending;
}

Ending Router::not_found(std::string_view what, std::string_view name) const {
  std::vector<std::string_view> known;
  if (what == "route") {
    for (const RouteSettings& route : names_.routes) known.push_back(route.name);
  } else {
    for (const Listed& listed : listed_) known.push_back(listed.id);
  }
  Ending ending;
  ending.failure = Failure::client_not_found;
  ending.param = what == "route" ? "x-weir-route" : "model";
  ending.code = what == "route" ? "route_not_found" : "model_not_found";
  ending.message = fmt::format("unknown {} \"{}\"", what, name.substr(0, 100));
  const auto nearest = catalogue::nearest(name, known);
  if (what == "route") {
    ending.message += nearest ? fmt::format("; nearest: {}", *nearest) : "";
    ending.message += ". Routes are listed under routes:";
    return ending;
  }
  if (nearest) {
    const auto owner = models_.find(*nearest);
    ending.message +=
        fmt::format("; nearest: {}{}", *nearest,
                    owner == models_.end() ? " (a route)" : fmt::format(" ({})", owner->second.provider->name));
  }
  std::string_view example;
  for (const ProviderEntry& provider : names_.providers) {
    if (provider.off_because.empty() && (example.empty() || !provider.demo)) example = provider.name;
  }
  ending.message += ". Add it under models:";
  if (!example.empty()) ending.message += fmt::format(" or call {}/{}", example, name.substr(0, 100));
  return ending;
}

}  // namespace weir::pipeline
