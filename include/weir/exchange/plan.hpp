#pragma once
#include <chrono>
#include <cstdint>
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
  std::string_view route;  ///< configured route, empty = none
  std::string_view task;   ///< the route's own task, empty = none
  Target target;
};

}  // namespace weir
