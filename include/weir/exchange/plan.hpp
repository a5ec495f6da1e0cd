#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <weir/exchange/price.hpp>

namespace weir {

class Provider;

/// Bounds of one attempt, by phase. `first_byte` of zero is `auto` (RULINGS 2).
struct TimeLimits {
  std::chrono::milliseconds connect{2'000};
  std::chrono::milliseconds first_byte{0};
  std::chrono::milliseconds between_bytes{120'000};
  std::chrono::milliseconds total{600'000};
  bool operator==(const TimeLimits&) const = default;
};

/// `timeouts:` of a provider, a model or a route; what is absent is inherited (route > model > provider > default).
struct TimeoutOverrides {
  std::optional<std::chrono::milliseconds> connect;
  std::optional<std::chrono::milliseconds> first_byte;  ///< zero = auto
  std::optional<std::chrono::milliseconds> between_bytes;
  std::optional<std::chrono::milliseconds> total;
  bool operator==(const TimeoutOverrides&) const = default;

  void apply_to(TimeLimits& limits) const {
    if (connect) limits.connect = *connect;
    if (first_byte) limits.first_byte = *first_byte;
    if (between_bytes) limits.between_bytes = *between_bytes;
    if (total) limits.total = *total;
  }
};

/// Where one attempt goes. Texts are views into the settings snapshot that the exchange holds, or into the request.
struct Target {
  Provider* provider = nullptr;
  std::string_view provider_name;
  std::string_view model;             ///< metric label: weir's configured name, else the id sent upstream
  std::string_view upstream_model;    ///< the name sent upstream
  const Price* own_price = nullptr;   ///< override under models:
  const Price* id_price = nullptr;    ///< the catalogue's for `upstream_model`
  const Price* name_price = nullptr;  ///< the catalogue's for the configured name
  TimeLimits time_limits;
};

/// What `resolve` decided: pure data, fixed before anything is sent.
struct Plan {
  std::string_view route;                 ///< configured route, empty = none
  std::string_view task;                  ///< the route's own task, empty = none
  std::chrono::milliseconds deadline{0};  ///< the call's own, all attempts together; 0 = the target's `total`
  std::chrono::seconds keep_text{0};      ///< how long the ledger keeps the call's text; 0 = it keeps none
  bool pass_key = false;                  ///< the caller's own provider key goes upstream, not weir's
  Target target;
};

}  // namespace weir
