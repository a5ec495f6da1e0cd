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

void learn(Target& target, const catalogue::ModelFacts& facts) {
  target.context = facts.context_window;
  target.output_max = facts.output_tokens_max;
  if (!facts.abilities) return;
  target.abilities = {.stated = true,
                      .certain = false,
                      .images = facts.abilities->vision,
                      .documents = facts.abilities->documents,
                      .tools = facts.abilities->tools,
                      .schema = facts.abilities->schema,
                      .reasoning = facts.abilities->reasoning,
                      .streaming = facts.abilities->streaming};
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

const ModelSettings* Router::model_named(std::string_view name) const {
  for (const ModelSettings& model : names_.models) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

Target Router::target_for(const ProviderEntry& provider, std::string_view upstream_model,
                          std::string_view place) const {
  Target target;
  target.provider = provider.provider;
  target.provider_name = provider.name;
  target.model = upstream_model;
  target.upstream_model = upstream_model;
  target.time_limits = provider.time_limits;
  const catalogue::ModelFacts* facts = catalogue_.find_reply_model(upstream_model);
  if (facts != nullptr) learn(target, *facts);
  if (facts == nullptr && provider.demo) facts = catalogue_.find_reply_model(kDemoPricedAs);
  if (facts != nullptr) target.id_price = &facts->price;
  if (names_.places != nullptr) target.place = &names_.places->place(provider.name, place, provider.keys);
  return target;
}

Plan Router::plan_for(const ProviderEntry& provider, std::string_view upstream_model) const {
  Plan plan;
  // Names that no setting lists come from clients: they share one place, or its number would be theirs to choose.
  plan.target = target_for(provider, upstream_model, {});
  if (names_.deadline) plan.deadline = *names_.deadline;
  set_way(plan, names_.defaults);
  return plan;
}

void Router::set_way(Plan& plan, const WaySettings& way) const {
  if (way.attempts) plan.retry.attempts = *way.attempts;
  if (way.max_resend_cost) plan.retry.max_resend_cost = *way.max_resend_cost;
  if (way.hedge) plan.hedge = *way.hedge;
  if (way.zones) plan.zones = way.zones->empty() ? nullptr : &*way.zones;
  if (way.keep_alive) plan.keep_alive = *way.keep_alive;
  if (way.repair_json) plan.repair_json = *way.repair_json;
  if (way.strict) plan.strict = *way.strict;
  if (way.image_hosts) plan.image_hosts = way.image_hosts->empty() ? nullptr : &*way.image_hosts;
}

std::vector<Target> Router::places_of(const ModelSettings& model, const ProviderEntry*& first) const {
  std::vector<DeploymentSettings> deployments = model.deployments;
  if (deployments.empty()) deployments.push_back({model.provider, model.id, model.zone, 1, model.max_in_flight, {}});
  std::vector<Target> places;
  const catalogue::ModelFacts* facts = catalogue_.find_reply_model(model.name);
  for (std::size_t i = 0; i < deployments.size(); ++i) {
    const ProviderEntry* provider = provider_named(deployments[i].provider);
    WEIR_ENSURE(provider != nullptr);
    if (first == nullptr) first = provider;
    if (provider->provider == nullptr) continue;  // it is off: the others do its work
    // Texts must be the settings' own, not those of the copy made above.
    const DeploymentSettings* own = model.deployments.empty() ? nullptr : &model.deployments[i];
    const std::string& id = own != nullptr && !own->id.empty() ? own->id : model.id.empty() ? model.name : model.id;
    Target target = target_for(*provider, id, id);
    target.model = model.name;
    target.zone = own != nullptr && !own->zone.empty() ? std::string_view(own->zone) : std::string_view(model.zone);
    target.weight = deployments[i].weight;
    target.max_in_flight = deployments[i].max_in_flight;
    if (target.id_price == nullptr && facts != nullptr) learn(target, *facts);  // the id is the host's own name for it
    if (model.context != 0) target.context = model.context;
    if (target.context == 0 && facts != nullptr) target.context = facts->context_window;
    if (model.abilities) target.abilities = *model.abilities;
    model.timeouts.apply_to(target.time_limits);
    if (model.price.price) target.own_price = &*model.price.price;
    if (own != nullptr && own->price) target.own_price = &*own->price;
    if (facts != nullptr) target.name_price = &facts->price;
    places.push_back(target);
  }
  return places;
}

void Router::add_step(Entry& entry, std::string_view name, const TimeoutOverrides& timeouts) const {
  std::vector<Target> places;
  Fill fill = Fill::first;
  if (const ModelSettings* model = model_named(name)) {
    places = places_of(*model, entry.provider);
    fill = model->fill;
  } else {
    const std::size_t slash = name.find('/');
    WEIR_ENSURE(slash != std::string_view::npos);
    const ProviderEntry* provider = provider_named(name.substr(0, slash));
    WEIR_ENSURE(provider != nullptr);
    if (entry.provider == nullptr) entry.provider = provider;
    const std::string_view upstream_model = name.substr(slash + 1);
    if (provider->provider != nullptr) places.push_back(target_for(*provider, upstream_model, upstream_model));
  }
  for (Target& target : places) timeouts.apply_to(target.time_limits);
  if (places.empty()) return;
  entry.places.push_back(std::move(places));
  entry.steps.push_back({entry.places.back(), fill});
}

void Router::add_model(const ModelSettings& model) {
  Entry entry;
  add_step(entry, model.name, {});
  if (names_.deadline) entry.plan.deadline = *names_.deadline;
  set_way(entry.plan, names_.defaults);
  const std::string_view owner = entry.provider->name;
  add(models_, model.name, std::move(entry));
  listed_.push_back({model.name, owner});
}

void Router::add_route(const RouteSettings& route) {
  Entry entry;
  add_step(entry, route.model, route.timeouts);
  for (const std::string& fallback : route.fallback) add_step(entry, fallback, route.timeouts);
  if (names_.deadline) entry.plan.deadline = *names_.deadline;
  set_way(entry.plan, names_.defaults);
  set_way(entry.plan, route.way);
  entry.plan.route = route.name;
  entry.plan.task = route.task;
  if (route.deadline) entry.plan.deadline = *route.deadline;
  if (route.keep_text) entry.plan.keep_text = std::chrono::ceil<std::chrono::seconds>(*route.keep_text);
  if (route.pass_key && !entry.steps.empty()) {
    entry.plan.pass_key_to = entry.steps.front().places.front().provider_name;
  }
  add(routes_, route.name, std::move(entry));
  listed_.push_back({route.name, "weir"});
}

void Router::add(ByName<Entry>& to, const std::string& name, Entry entry) {
  if (!entry.steps.empty()) entry.plan.target = entry.steps.front().places.front();
  Entry& kept = to.emplace(name, std::move(entry)).first->second;
  kept.plan.steps = kept.steps;
}

std::optional<Ending> Router::take(const Entry& entry, Plan& plan) const {
  if (entry.steps.empty()) return off(*entry.provider);
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
