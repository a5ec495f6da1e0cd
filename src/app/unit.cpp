#include "app/unit.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <csignal>

#include "api/house.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/resolve/router.hpp"
#include "providers/demo.hpp"
#include "providers/http_provider.hpp"

namespace weir::app {

/// What a house refers to, built in this order and destroyed in reverse.
struct Unit::Parts {
  std::shared_ptr<const Blueprint> blueprint;
  std::vector<std::shared_ptr<net::UpstreamPool>> pools;  // a call may outlive the entry in pools_
  std::optional<providers::ImageFetcher> images;
  std::vector<std::unique_ptr<Provider>> providers;
  std::unique_ptr<pipeline::Router> router;
  std::unique_ptr<pipeline::Pipeline> pipeline;
};

Unit::Unit(std::size_t index, net::Offload& offload, telemetry::WorkerTelemetry& telemetry,
           accounting::LedgerRecorder& recorder, const net::LimitSettings& limits,
           std::atomic<std::size_t>& connections, api::Places& places, api::RecentPrompts& prompts,
           net::BodyBudget& bodies, targets::Places& target_places)
    : worker_(index),
      offload_(offload),
      telemetry_(telemetry),
      recorder_(recorder),
      observers_(telemetry, recorder),
      resolver_(worker_),
      target_places_(target_places),
      front_(worker_, offload, observers_, places, prompts),
      door_(worker_, front_, limits, connections, &bodies) {}

Unit::~Unit() {
  stop();
}

std::shared_ptr<net::UpstreamPool> Unit::pool_for(const std::shared_ptr<net::UpstreamAddress>& address) {
  auto& pool = pools_[address.get()];
  if (!pool) pool = std::make_shared<net::UpstreamPool>(worker_, resolver_, address);
  return pool;
}

void Unit::move_in(std::shared_ptr<const Blueprint> blueprint) {
  auto parts = std::make_shared<Parts>();
  parts->blueprint = std::move(blueprint);
  const settings::Settings& settings = parts->blueprint->settings;

  pipeline::Router::Names names;
  names.models = settings.models;
  names.routes = settings.routes;
  names.default_provider = settings.default_provider;
  names.deadline = settings.deadline;
  names.defaults = settings.way_defaults;
  names.places = &target_places_;
  std::map<net::UpstreamAddress*, std::shared_ptr<net::UpstreamPool>> kept;
  if (parts->blueprint->image_tls) parts->images.emplace(worker_, resolver_, parts->blueprint->image_tls);
  for (const Blueprint::ProviderPart& part : parts->blueprint->providers) {
    pipeline::ProviderEntry entry;
    entry.name = part.settings.name;
    entry.off_because = part.settings.off_because;
    entry.demo = part.settings.protocol == providers::Protocol::demo;
    part.settings.timeouts.apply_to(entry.time_limits);
    entry.keys = 1 + part.settings.more_api_keys.size();
    if (entry.off_because.empty()) {
      if (entry.demo) {
        parts->providers.push_back(std::make_unique<providers::DemoProvider>(worker_, part.settings));
      } else {
        auto pool = pool_for(part.address);
        kept[part.address.get()] = pool;
        parts->pools.push_back(pool);
        parts->providers.push_back(
            std::make_unique<providers::HttpProvider>(worker_, pool, part.settings, first_byte_times_, offload_,
                                                      part.service_account, parts->images ? &*parts->images : nullptr));
      }
      entry.provider = parts->providers.back().get();
    }
    names.providers.push_back(std::move(entry));
  }
  for (auto& [address, pool] : pools_) {
    if (!kept.contains(address)) old_pools_.push_back(pool);
  }
  pools_ = std::move(kept);
  parts->router = std::make_unique<pipeline::Router>(std::move(names), *parts->blueprint->catalogue);
  parts->pipeline = std::make_unique<pipeline::Pipeline>(*parts->router, worker_, settings.retry, first_byte_times_);

  std::vector<openai_chat::ListedModel> models;
  for (const auto& listed : parts->router->listed()) models.push_back({listed.id, listed.owner, 0});
  auto& service = parts->pipeline->entry();
  const Meter& meter = *parts->blueprint->meter;
  const Admission& admission = *parts->blueprint->door;
  door_.set_limits(settings.limits);
  front_.set_house(
      std::make_shared<const api::House>(api::House{service, meter, admission, std::move(models), std::move(parts)}));
}

void Unit::start() {
  thread_ = std::thread([this] {
    // Signals are the main thread's.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    worker_.run([this](TimePoint now) { on_tick(now); });
  });
}

void Unit::stop() {
  if (!thread_.joinable()) return;
  worker_.stop();
  thread_.join();
  telemetry_.tick();
  recorder_.tick();
}

void Unit::on_tick(TimePoint now) {
  for (auto& [address, pool] : pools_) pool->upkeep(now);
  std::erase_if(old_pools_, [&](const std::weak_ptr<net::UpstreamPool>& old) {
    const auto pool = old.lock();
    if (pool) pool->upkeep(now);
    return !pool;
  });
  telemetry_.tick();
  recorder_.tick();
}

}  // namespace weir::app
