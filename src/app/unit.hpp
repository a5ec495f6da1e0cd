#pragma once
#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "accounting/ledger_recorder.hpp"
#include "api/front.hpp"
#include "app/blueprint.hpp"
#include "app/observers.hpp"
#include "net/offload.hpp"
#include "net/resolver.hpp"
#include "net/server_session.hpp"
#include "net/upstream_pool.hpp"
#include "net/worker.hpp"
#include "targets/first_byte_times.hpp"
#include "targets/places.hpp"
#include "telemetry/telemetry.hpp"

namespace weir::app {

/// Everything that belongs to one worker thread, in the order in which it is built.
/// Thread: made by the app's; from start() on, all but worker() is touched on the worker only.
class Unit {
 public:
  Unit(std::size_t index, net::Offload& offload, telemetry::WorkerTelemetry& telemetry,
       accounting::LedgerRecorder& recorder, const net::LimitSettings& limits, std::atomic<std::size_t>& connections,
       api::Places& places, api::RecentPrompts& prompts, net::BodyBudget& bodies, targets::Places& target_places);
  ~Unit();

  /// Moves into a new house; calls that began in the old one end there. Pools of providers that stay are kept.
  void move_in(std::shared_ptr<const Blueprint> blueprint);
  void start();
  void stop();

  net::Worker& worker() { return worker_; }
  net::Door& door() { return door_; }
  telemetry::WorkerTelemetry& telemetry() { return telemetry_; }

 private:
  struct Parts;
  std::shared_ptr<net::UpstreamPool> pool_for(const std::shared_ptr<net::UpstreamAddress>& address);
  void on_tick(TimePoint now);

  net::Worker worker_;
  net::Offload& offload_;
  telemetry::WorkerTelemetry& telemetry_;
  accounting::LedgerRecorder& recorder_;
  Observers observers_;
  net::Resolver resolver_;
  targets::FirstByteTimes first_byte_times_;
  targets::Places& target_places_;  ///< of the process: what one worker learns of a place, all know
  std::map<net::UpstreamAddress*, std::shared_ptr<net::UpstreamPool>> pools_;
  std::vector<std::weak_ptr<net::UpstreamPool>>
      old_pools_;  ///< of providers that went at a reload, while calls are on them
  api::Front front_;
  net::Door door_;
  std::thread thread_;
};

}  // namespace weir::app
