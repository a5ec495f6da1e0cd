#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <weir/exchange/ending.hpp>
#include <weir/exchange/plan.hpp>
#include "catalogue/catalogue.hpp"
#include "pipeline/resolve/settings.hpp"
#include "targets/places.hpp"

namespace weir::pipeline {

/// A provider entry as the router sees it.
struct ProviderEntry {
  std::string name;
  Provider* provider = nullptr;  ///< null while it is off
  std::string off_because;       ///< the variable that is not set
  bool demo = false;
  TimeLimits time_limits;
  std::size_t keys = 1;  ///< api_keys: how many there are
};

/// Names to plans (RULINGS 6): x-weir-route, routes, models, provider/model, default, the only provider that is on.
/// Pure, calls nobody. Thread: one per worker. Lifetime: plans are views into it and into the asked name.
class Router {
 public:
  struct Names {
    std::vector<ProviderEntry> providers;
    std::vector<ModelSettings> models;
    std::vector<RouteSettings> routes;
    std::string default_provider;
    std::optional<std::chrono::milliseconds> deadline;  ///< defaults: {deadline: …}
    WaySettings defaults;
    targets::Places* places = nullptr;  ///< where health is kept; null = nowhere. Outlives the router
  };

  Router(Names names, const catalogue::Catalogue& catalogue);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// `route` is x-weir-route, empty = not given. A failure is for the client: 404 with the nearest name, or 503 naming
  /// what is not set.
  std::optional<Ending> resolve(std::string_view route, std::string_view model, Plan& plan) const;
  /// Where a pass-through without a model goes: the default, else the only provider that is on.
  std::optional<Ending> resolve_default(Plan& plan) const;

  struct Listed {
    std::string_view id;
    std::string_view owner;
  };
  const std::vector<Listed>& listed() const { return listed_; }

 private:
  struct Entry {
    Plan plan;
    const ProviderEntry* provider = nullptr;  ///< of the first place
    std::vector<std::vector<Target>> places;  ///< by step; `steps` are views into it
    std::vector<PlanStep> steps;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  void add_model(const ModelSettings& model);
  static void add(ByName<Entry>& to, const std::string& name, Entry entry);
  void add_route(const RouteSettings& route);
  Plan plan_for(const ProviderEntry& provider, std::string_view upstream_model) const;
  Target target_for(const ProviderEntry& provider, std::string_view upstream_model, std::string_view place) const;
  std::vector<Target> places_of(const ModelSettings& model, const ProviderEntry*& first) const;
  void add_step(Entry& entry, std::string_view name, const TimeoutOverrides& timeouts) const;
  void set_way(Plan& plan, const WaySettings& way) const;
  const ModelSettings* model_named(std::string_view name) const;
  std::optional<Ending> take(const Entry& entry, Plan& plan) const;
  std::optional<Ending> take(const ProviderEntry& provider, std::string_view upstream_model, Plan& plan) const;
  const ProviderEntry* provider_named(std::string_view name) const;
  Ending not_found(std::string_view what, std::string_view name) const;

  Names names_;
  const catalogue::Catalogue& catalogue_;
  ByName<Entry> models_;
  ByName<Entry> routes_;
  const ProviderEntry* fallback_ = nullptr;  ///< takes every other name
  std::vector<Listed> listed_;
};

}  // namespace weir::pipeline
