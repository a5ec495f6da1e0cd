#include "admission/keeper.hpp"

#include <ctime>

#include <fmt/format.h>

#include <weir/base/ascii.hpp>

namespace weir::admission {
namespace {

/// What a client sent as keys; empty = nothing.
struct Sent {
  std::string_view bearer;
  std::string_view api_key;
};

Sent keys_of(const Request& request) {
  Sent sent;
  for (const HeaderField& field : request.headers) {
    if (field.name.size() == 13 && equals_ignoring_case(field.name, "authorization")) {
      constexpr std::size_t scheme = 7;
      if (field.value.size() > scheme && equals_ignoring_case(field.value.substr(0, scheme), "bearer ")) {
        sent.bearer = trim(field.value.substr(scheme));
      }
    } else if (field.name.size() == 9 && equals_ignoring_case(field.name, "x-api-key")) {
      sent.api_key = trim(field.value);
    }
  }
  return sent;
}

Ending refusal(std::uint16_t status, const char* code, std::string message) {
  Ending ending;
  ending.failure = Failure::client_unauthorized;
  ending.status = status;
  ending.code = code;
  ending.message = std::move(message);
  return ending;
}

std::string date_text(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                     utc.tm_min);
}

/// While there are keys, every caller is one.
const Key& key_of(const Caller& caller) {
  return static_cast<const Key&>(caller);
}

/// How a power is asked for, for messages.
std::string asked_by(Power power) {
  return power == Power::passthrough ? "use paths that weir only passes on"
                                     : fmt::format("send x-weir-{}", name_of(power));
}

}  // namespace

std::optional<Ending> Keeper::admit(Exchange& exchange) const {
  const Sent sent = keys_of(exchange.request);
  if (sent.bearer.empty() && sent.api_key.empty()) {
    return refusal(401, "missing_api_key", "send a weir key as Authorization: Bearer … or as x-api-key");
  }
  const Key* key = nullptr;
  if (!sent.api_key.empty() && (key = ring_->find(sent.api_key)) != nullptr) {
    exchange.own_key = sent.bearer;
  } else if (!sent.bearer.empty() && (key = ring_->find(sent.bearer)) != nullptr) {
    exchange.own_key = sent.api_key;
  }
  if (key == nullptr) {
    return refusal(401, "invalid_api_key",
                   "this key is not known here: weir wants its own keys (weir keys new NAME), "
                   "not a provider's");
  }
  const std::int64_t ends = key->settings.expires_unix_ms;
  if (ends != 0 && ends <= exchange.started_unix_ms) {
    return refusal(401, "expired_api_key",
                   fmt::format("key {} ended at {}; ask for a new one", key->settings.name, date_text(ends)));
  }
  exchange.caller = key;
  return std::nullopt;
}

std::optional<Ending> Keeper::allow(const Exchange& exchange) const {
  const Key& key = key_of(*exchange.caller);
  const KeySettings& settings = key.settings;
  const Request& request = exchange.request;
  Powers used = request.used_powers;
  // A key that is for certain models must say so before it may send what names none, or what weir does not read.
  if (exchange.raw && !settings.models.empty()) used.add(Power::passthrough);
  if (const Powers lacking = used.without(settings.may); !lacking.empty()) {
    const Power power = lacking.first();
    return refusal(
        403, "power_missing",
        fmt::format("key {} may not {}: add {} to its may:", settings.name, asked_by(power), name_of(power)));
  }
  if (!request.route.empty()) {
    if (key.may_ask_route(request.route)) return std::nullopt;
    return refusal(
        403, "route_not_allowed",
        fmt::format("key {} may not use route {}: add it to its routes:", settings.name, request.route.substr(0, 100)));
  }
  if (exchange.raw && request.model.empty()) return std::nullopt;
  // Routes are asked for as models too: a name that either list has is allowed.
  const bool restricted = !settings.models.empty() || !settings.routes.empty();
  const bool by_model = !settings.models.empty() && key.may_ask_model(request.model);
  const bool by_route = !settings.routes.empty() && key.may_ask_route(request.model);
  if (!restricted || by_model || by_route) return std::nullopt;
  Ending ending = refusal(
      403, "model_not_allowed",
      fmt::format("key {} may not use model {}: add it to its models:", settings.name, request.model.substr(0, 100)));
  ending.param = "model";
  return ending;
}

bool Keeper::shows(const Caller* caller, std::string_view model) const {
  if (caller == nullptr) return true;
  const KeySettings& settings = key_of(*caller).settings;
  if (settings.models.empty() && settings.routes.empty()) return true;
  const Key& key = key_of(*caller);
  return (!settings.models.empty() && key.may_ask_model(model)) ||
         (!settings.routes.empty() && key.may_ask_route(model));
}

std::optional<Ending> OpenDoor::admit(Exchange& exchange) const {
  const Sent sent = keys_of(exchange.request);
  exchange.own_key = sent.bearer.empty() ? sent.api_key : sent.bearer;
  return std::nullopt;
}

}  // namespace weir::admission
