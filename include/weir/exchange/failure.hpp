#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

/// How a call can fail. One row per value in kFailures; adding one without its row does not compile.
enum class Failure : std::uint8_t {
  none,
  client_malformed,
  client_unauthorized,
  client_not_found,
  client_too_large,
  client_content_policy,
  client_context_length,
  client_left,
  limit_rate,
  limit_quota,
  upstream_credentials,
  upstream_model_missing,
  upstream_unreachable,
  upstream_timeout_connect,
  upstream_timeout_first_byte,
  upstream_timeout_between_bytes,
  upstream_timeout_total,
  upstream_overloaded,
  upstream_error,
  upstream_protocol,
  gateway_busy,
  gateway_budget,
  gateway_bug,
  gateway_outrun,  ///< of an attempt only: the other one of a hedged call answered first
  count_
};

/// How far an attempt had come when it ended.
enum class Phase : std::uint8_t { none, resolve, connect, tls, send, await_headers, body, count_ };

enum class Policy : std::uint8_t { none, give_up, retry_same, retry_elsewhere, bigger_context };

/// What a failure tells of the place it came from (src/targets): who is left out for a while.
enum class Bench : std::uint8_t {
  none,
  place,  ///< this key's use of this model
  key,    ///< this key, whatever the model: it is spent or refused
  asked   ///< the place, if the provider said for how long
};

/// The metric label `outcome` (RULINGS 7).
enum class Outcome : std::uint8_t {
  ok,
  client_error,
  limited,
  upstream_error,
  gateway_error,
  client_left,
  cut,
  count_
};

struct FailureRow {
  Failure failure;
  std::string_view name;  ///< log, metrics and x-weir-failure
  std::uint16_t status;   ///< the client's status; 0 = as the provider said
  std::string_view type;  ///< `type` in OpenAI's error body
  Policy policy;
  Outcome outcome;
  bool may_invite_back;         ///< our own 429 and 503: Retry-After instead of x-should-retry: false
  bool same_place = false;      ///< if it came fast, the same place may be asked again after a back-off
  bool provider_fault = false;  ///< counts against the place's circuit
  Bench bench = Bench::none;
};

inline constexpr std::array kFailures{
    FailureRow{Failure::none, "none", 200, "", Policy::none, Outcome::ok, false},
    FailureRow{Failure::client_malformed, "client.malformed", 400, "invalid_request_error", Policy::give_up,
               Outcome::client_error, false},
    FailureRow{Failure::client_unauthorized, "client.unauthorized", 401, "authentication_error", Policy::give_up,
               Outcome::client_error, false},
    FailureRow{Failure::client_not_found, "client.not_found", 404, "invalid_request_error", Policy::give_up,
               Outcome::client_error, false},
    FailureRow{Failure::client_too_large, "client.too_large", 413, "invalid_request_error", Policy::give_up,
               Outcome::client_error, false},
    FailureRow{Failure::client_content_policy, "client.content_policy", 0, "invalid_request_error", Policy::give_up,
               Outcome::client_error, false},
    FailureRow{Failure::client_context_length, "client.context_length", 0, "invalid_request_error",
               Policy::bigger_context, Outcome::client_error, false},
    FailureRow{Failure::client_left, "client.left", 499, "", Policy::give_up, Outcome::client_left, false},
    FailureRow{Failure::limit_rate, "limit.rate", 429, "rate_limit_error", Policy::retry_elsewhere, Outcome::limited,
               false, true, false, Bench::place},
    FailureRow{Failure::limit_quota, "limit.quota", 429, "insufficient_quota", Policy::retry_elsewhere,
               Outcome::limited, false, false, false, Bench::key},
    FailureRow{Failure::upstream_credentials, "upstream.credentials", 502, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, false, false, Bench::key},
    FailureRow{Failure::upstream_model_missing, "upstream.model_missing", 404, "invalid_request_error",
               Policy::retry_elsewhere, Outcome::upstream_error, false, false, false, Bench::place},
    FailureRow{Failure::upstream_unreachable, "upstream.unreachable", 502, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, true, true},
    FailureRow{Failure::upstream_timeout_connect, "upstream.timeout.connect", 504, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, true, true},
    FailureRow{Failure::upstream_timeout_first_byte, "upstream.timeout.first_byte", 504, "api_error",
               Policy::retry_elsewhere, Outcome::upstream_error, false, false, true},
    FailureRow{Failure::upstream_timeout_between_bytes, "upstream.timeout.between_bytes", 504, "api_error",
               Policy::retry_elsewhere, Outcome::upstream_error, false, false, true},
    FailureRow{Failure::upstream_timeout_total, "upstream.timeout.total", 504, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, false, true},
    FailureRow{Failure::upstream_overloaded, "upstream.overloaded", 503, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, true, true, Bench::asked},
    FailureRow{Failure::upstream_error, "upstream.error", 502, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, true, true},
    FailureRow{Failure::upstream_protocol, "upstream.protocol", 502, "api_error", Policy::retry_elsewhere,
               Outcome::upstream_error, false, false, true},
    FailureRow{Failure::gateway_busy, "gateway.busy", 503, "api_error", Policy::give_up, Outcome::gateway_error, true},
    FailureRow{Failure::gateway_budget, "gateway.budget", 429, "insufficient_quota", Policy::give_up,
               Outcome::gateway_error, true},
    FailureRow{Failure::gateway_bug, "gateway.bug", 500, "api_error", Policy::give_up, Outcome::gateway_error, false},
    FailureRow{Failure::gateway_outrun, "gateway.outrun", 500, "api_error", Policy::give_up, Outcome::gateway_error,
               false},
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Phase::count_)> kPhaseNames{
    "none", "resolve", "connect", "tls", "send", "await_headers", "body"};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Outcome::count_)> kOutcomeNames{
    "ok", "client_error", "limited", "upstream_error", "gateway_error", "client_left", "cut"};

consteval bool failure_rows_match_enum() {
  if (kFailures.size() != static_cast<std::size_t>(Failure::count_)) return false;
  for (std::size_t i = 0; i < kFailures.size(); ++i) {
    if (kFailures[i].failure != static_cast<Failure>(i) || kFailures[i].name.empty()) return false;
  }
  return true;
}
static_assert(failure_rows_match_enum(), "one row per Failure, in the enum's order");

constexpr const FailureRow& row_of(Failure failure) {
  return kFailures[static_cast<std::size_t>(failure)];
}
constexpr std::string_view name_of(Failure failure) {
  return row_of(failure).name;
}
constexpr std::string_view name_of(Phase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}
constexpr std::string_view name_of(Outcome outcome) {
  return kOutcomeNames[static_cast<std::size_t>(outcome)];
}

}  // namespace weir
