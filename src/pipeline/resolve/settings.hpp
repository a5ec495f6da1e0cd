#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <weir/exchange/plan.hpp>
#include "catalogue/settings.hpp"

namespace weir::pipeline {

/// One entry of `models:`.
struct ModelSettings {
  std::string name;
  std::string provider;
  std::string id;  ///< sent upstream; the name itself when not given
  catalogue::PriceSettings price;
  std::int64_t context = 0;  ///< tokens; 0 = the catalogue's
  TimeoutOverrides timeouts;
  bool operator==(const ModelSettings&) const = default;
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
  bool operator==(const RouteSettings&) const = default;
};

}  // namespace weir::pipeline
