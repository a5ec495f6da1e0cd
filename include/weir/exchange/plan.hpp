#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/price.hpp>

namespace weir {

class Provider;
namespace targets {
class Place;
}

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

/// What is known of what a model can be asked for. What is not stated is not held against it.
struct ModelAbilities {
  bool stated = false;  ///< false: nothing is known, and everything below is only hoped
  /// Stated in the settings. The catalogue's public source leaves out what nobody filled in: its word decides how a
  /// call is translated, but is not held against one that passes as it is.
  bool certain = false;
  bool images = true;
  bool documents = true;
  bool tools = true;
  bool schema = true;  ///< holds its answer to a JSON Schema by itself
  bool reasoning = true;
  bool streaming = true;
  bool operator==(const ModelAbilities&) const = default;
};

/// Where one attempt goes. Texts are views into the settings snapshot that the exchange holds, or into the request.
struct Target {
  Provider* provider = nullptr;
  std::string_view provider_name;
  std::string_view model;             ///< metric label: weir's configured name, else the id sent upstream
  std::string_view upstream_model;    ///< the name sent upstream
  const Price* own_price = nullptr;   ///< override under models:, the place's own first
  const Price* id_price = nullptr;    ///< the catalogue's for `upstream_model`
  const Price* name_price = nullptr;  ///< the catalogue's for the configured name
  TimeLimits time_limits;
  targets::Place* place = nullptr;  ///< what is known of it and its keys; null = nothing is kept
  std::string_view zone;            ///< where it runs; empty = not said, which no zone filter lets through
  std::int64_t context = 0;         ///< window in tokens; 0 = not known
  std::int64_t output_max = 0;      ///< tokens of one answer; 0 = not known
  ModelAbilities abilities;
  std::uint32_t weight = 1;
  std::uint32_t max_in_flight = 0;  ///< of the process; 0 = no bound
};

/// How one of several places of a model is chosen: in their order, by weight, or by how long they take.
enum class Fill : std::uint8_t { first, weight, latency };

/// One model of the way: its own, then each fallback's. Lifetime: the settings snapshot's.
struct PlanStep {
  std::span<const Target> places;
  Fill fill = Fill::first;
};

/// How often and how dearly one call may be tried again (`retry:` of a route or the defaults).
struct RetryLimits {
  std::uint32_t attempts = 3;
  NanoDollars max_resend_cost{50'000'000};  ///< of a call that may have been billed already
  bool operator==(const RetryLimits&) const = default;
};

/// What `resolve` decided: pure data, fixed before anything is sent.
struct Plan {
  std::string_view route;                 ///< configured route, empty = none
  std::string_view task;                  ///< the route's own task, empty = none
  std::chrono::milliseconds deadline{0};  ///< the call's own, all attempts together; 0 = the target's `total`
  std::chrono::seconds keep_text{0};      ///< how long the ledger keeps the call's text; 0 = it keeps none
  std::string_view pass_key_to;  ///< the provider entry that gets the caller's own key instead of weir's; empty = none
  Target target;  ///< where the attempt that runs, or ran last, goes; until then the first place of the first step
  std::span<const PlanStep> steps;  ///< empty = `target` alone
  RetryLimits retry;
  std::optional<NanoDollars> hedge;  ///< most that an attempt beside a slow first one may cost; none = there is none
  const std::vector<std::string>* zones = nullptr;  ///< of the route: the only ones it may reach; null = any
  /// From where images may be fetched that a call names by URL, if its target takes none; null = from nowhere.
  const std::vector<std::string>* image_hosts = nullptr;
  std::chrono::milliseconds keep_alive{0};  ///< comments on a stream that has sent nothing for so long; 0 = none
  bool repair_json = false;
  bool strict =
      false;  ///< a call that its target cannot carry whole is refused, instead of being told what is left out
};

}  // namespace weir
