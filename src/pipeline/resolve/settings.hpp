#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weir/exchange/plan.hpp>
#include "catalogue/settings.hpp"

namespace weir::pipeline {

/// One entry of `deployments:`: where a model is to be had.
struct DeploymentSettings {
  std::string provider;
  std::string id;  ///< sent upstream; the model's own when not given
  std::string zone;
  std::uint32_t weight = 1;
  std::uint32_t max_in_flight = 0;  ///< of the process; 0 = no bound
  std::optional<Price> price;       ///< what it costs here; nothing = the model's
  bool operator==(const DeploymentSettings&) const = default;
};

/// One entry of `models:`.
struct ModelSettings {
  std::string name;
  std::string provider;
  std::string id;  ///< sent upstream; the name itself when not given
  catalogue::PriceSettings price;
  std::int64_t context = 0;                 ///< tokens; 0 = the catalogue's
  std::optional<ModelAbilities> abilities;  ///< nothing = the catalogue's
  TimeoutOverrides timeouts;
  std::string zone;
  std::uint32_t max_in_flight = 0;
  std::vector<DeploymentSettings> deployments;  ///< instead of `provider`; empty = the one place above
  Fill fill = Fill::first;
  bool operator==(const ModelSettings&) const = default;
};

/// What a route may say and the defaults say for all calls.
struct WaySettings {
  std::optional<std::uint32_t> attempts;            ///< retry.attempts
  std::optional<NanoDollars> max_resend_cost;       ///< retry.max_resend_cost
  std::optional<std::optional<NanoDollars>> hedge;  ///< hedge.max_extra_cost; none within = off
  std::optional<std::vector<std::string>> zones;
  std::optional<std::chrono::milliseconds> keep_alive;
  std::optional<bool> repair_json;
  std::optional<bool> strict;
  std::optional<std::vector<std::string>> image_hosts;  ///< fetch_images.hosts
  bool operator==(const WaySettings&) const = default;
};

/// One entry of `routes:`: of model | tiers | split | choose only `model` is built so far.
struct RouteSettings {
  std::string name;
  std::string model;  ///< a name under models:, or provider/model
  std::string task;
  std::optional<std::chrono::milliseconds> deadline;
  std::optional<std::chrono::milliseconds> keep_text;  ///< the ledger keeps the call's text so long; none = no text
  bool pass_key = false;                               ///< `key: caller`: the caller's own provider key goes upstream
  TimeoutOverrides timeouts;
  WaySettings way;
  std::vector<std::string> fallback;  ///< names under models:, or provider/model, in their order
  bool operator==(const RouteSettings&) const = default;
};

}  // namespace weir::pipeline
