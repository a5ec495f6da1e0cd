#include "settings/registry.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include <fmt/format.h>

#include "settings/quantities.hpp"
#include "settings/registry_price.hpp"

namespace weir::settings {
namespace {

using enum Kind;
using enum Change;

// The same four rows for a provider, a model, a route and the defaults.
#define WEIR_TIMEOUTS(section)                                                                                         \
  Setting{section ".timeouts.connect", duration, "", "1ms", "10m", "", live, "to open a connection; else 2s"},         \
      Setting{section ".timeouts.first_byte",                                                                          \
              duration,                                                                                                \
              "",                                                                                                      \
              "1ms",                                                                                                   \
              "24h",                                                                                                   \
              "auto",                                                                                                  \
              live,                                                                                                    \
              "from the request's last byte to the answer's first; else auto: learned per model, `total` until then"}, \
      Setting{section ".timeouts.between_bytes",          duration, "", "1ms", "24h", "", live,                        \
              "between two reads of an answer; else 120s"},                                                            \
      Setting{section ".timeouts.total", duration, "", "1ms", "24h", "", live, "of one attempt as a whole; else 10m"}

// The same rows for a route and the defaults.
#define WEIR_WAY(section)                                                                                              \
  Setting{section ".retry.attempts", count, "", "1", "10", "", live, "of one call, the first included; else 3"},       \
      Setting{section ".retry.max_resend_cost",                                                                        \
              money,                                                                                                   \
              "",                                                                                                      \
              "0 USD",                                                                                                 \
              "1000 USD",                                                                                              \
              "",                                                                                                      \
              live,                                                                                                    \
              "most that the second attempt of a call may cost that may have been billed already; else 0.05 USD"},     \
      Setting{section ".hedge.max_extra_cost",                                                                         \
              money,                                                                                                   \
              "",                                                                                                      \
              "0 USD",                                                                                                 \
              "1000 USD",                                                                                              \
              "off",                                                                                                   \
              live,                                                                                                    \
              "a second attempt beside a first one that is slow, if it costs no more; else off"},                      \
      Setting{section ".zones", names, "", "", "", "", live, "the only zones that its calls may reach; else any"},     \
      Setting{section ".keep_alive",                                                                                   \
              duration,                                                                                                \
              "",                                                                                                      \
              "1s",                                                                                                    \
              "1h",                                                                                                    \
              "off",                                                                                                   \
              live,                                                                                                    \
              "a comment on a stream that has sent nothing for so long; it commits status 200 (docs/retries.md)"},     \
      Setting{section ".repair_json",                                                                                  \
              flag,                                                                                                    \
              "",                                                                                                      \
              "",                                                                                                      \
              "",                                                                                                      \
              "",                                                                                                      \
              live,                                                                                                    \
              "mend almost-JSON in whole replies to calls that asked for JSON; else false"},                           \
      Setting{section ".strict",                                                                                       \
              flag,                                                                                                    \
              "",                                                                                                      \
              "",                                                                                                      \
              "",                                                                                                      \
              "",                                                                                                      \
              live,                                                                                                    \
              "refuse a call of which translation would leave something out, instead of naming it in x-weir-dropped"}, \
      Setting{section ".fetch_images.hosts", names, "", "0", "", "", live, "where images by URL may be fetched from"}

constexpr std::array kSettings{
    Setting{"listen", addresses, "127.0.0.1:8080", "", "", "", restart,
            "where clients connect; a list for several. An item may be {address: …, tls: {cert: F, key: F}}"},
    Setting{"tls.cert", file, "", "", "", "", restart,
            "certificate chain (PEM) of all addresses without their own; a changed file is read again by itself"},
    Setting{"tls.key", file, "", "", "", "", restart, "its private key (PEM)"},
    Setting{"open", flag, "false", "", "", "", live,
            "take calls from other machines without keys; needed for any address that is not loopback"},
    Setting{"admin.listen", address, "127.0.0.1:9090", "", "", "", restart, "metrics, health and the admin API"},
    Setting{"admin.token", secret, "", "", "", "", restart,
            "bearer token of /api/*; without one /api/* answers on loopback only"},
    Setting{"threads", count, "auto", "1", "1024", "auto", restart, "io threads; auto: one per processor"},
    Setting{"drain", duration, "10m", "0s", "24h", "", live, "on SIGTERM: how long open calls may take to finish"},
    Setting{"default", name, "", "", "", "", live, "the provider that takes every model name not listed below"},

    Setting{"limits.body", size, "32MiB", "1KiB", "1GiB", "", live, "largest request body"},
    Setting{"limits.head", size, "32KiB", "1KiB", "1MiB", "", live, "largest request head"},
    Setting{"limits.connections", count, "20000", "1", "1000000", "", live, "open client connections"},
    Setting{"limits.in_flight", count, "auto", "1", "1000000", "auto", restart,
            "calls at once, beyond it 503; auto: by open files and memory, see docs/overload.md"},
    Setting{"limits.bodies", size, "auto", "64KiB", "1024GiB", "auto", restart,
            "bytes of request bodies held at once, beyond it 503; auto: a quarter of the memory"},
    Setting{"limits.head_time", duration, "10s", "100ms", "10m", "", live,
            "from a request's first byte to the end of its head"},
    Setting{"limits.body_time", duration, "60s", "100ms", "1h", "", live, "from the head to the end of the body"},
    Setting{"limits.idle", duration, "75s", "1s", "1h", "", live, "a connection without a request is closed after"},

    Setting{"queue.max", duration, "0s", "0s", "1m", "", live,
            "how long a call may wait for a place under limits.in_flight; 0s: it is refused at once"},

    Setting{"log.to", file, "stdout", "", "", "stdout stderr off", live, "the line per call: a word or a file"},
    Setting{"log.level", choice, "info", "", "", "debug info warning error", live,
            "of the daemon's own messages on stderr"},

    Setting{"metrics.labels", names, "", "", "", "group key", restart,
            "labels that the metrics of calls have beyond route, task, model and provider"},

    Setting{"traces.endpoint", url, "", "", "", "", restart,
            "a collector's OTLP/HTTP address with its path, like http://127.0.0.1:4318/v1/traces; none: no traces"},
    Setting{"traces.sample", decimal, "1", "0", "1", "", restart,
            "share of the traces that begin here; where a client sends traceparent its flag decides"},
    Setting{"traces.headers.<header>", secret, "", "", "", "", restart, "sent to the collector with each request"},

    Setting{"providers.<name>.protocol", choice, "openai", "", "", "openai anthropic gemini vertex azure bedrock demo",
            live, "openai: any compatible server; demo: built-in answers that begin with [demo] (docs/providers.md)"},
    Setting{"providers.<name>.base_url", url, "", "", "", "", live,
            "openai: up to and with /v1; may be left out for the names of the table \"Without a file\""},
    Setting{"providers.<name>.api_key", secret, "", "", "", "", live,
            "sent as the protocol wants it; none: no credentials are sent"},
    Setting{"providers.<name>.api_keys", secrets, "", "", "", "", live,
            "instead of api_key: several, used in turn; a spent or refused one rests"},
    Setting{"providers.<name>.headers.<header>", secret, "", "", "", "", live, "added to each request"},
    Setting{"providers.<name>.tls.ca", file, "", "", "", "", live,
            "certificates (PEM) trusted instead of the system's"},
    Setting{"providers.<name>.tls.verify", flag, "true", "", "", "", live, "check the provider's certificate and name"},
    Setting{"providers.<name>.connections.max", count, "1024", "1", "100000", "", live,
            "open connections of the process"},
    Setting{"providers.<name>.connections.idle", duration, "60s", "1s", "1h", "", live,
            "an unused connection is kept for"},
    WEIR_TIMEOUTS("providers.<name>"),
    Setting{"providers.<name>.quirks", names, "", "", "",
            "no_completions no_responses no_image_urls developer_role max_completion_tokens reasoning_content", live,
            "what a server does its own way (docs/providers.md); known ones have theirs already"},
    Setting{"providers.<name>.api_version", text, "", "", "", "", live, "azure: v1, preview or a day; else v1"},
    Setting{"providers.<name>.deployment", text, "", "", "", "", live,
            "azure: of all its calls; else the model's id is the deployment"},
    Setting{"providers.<name>.token", secret, "", "", "", "", live, "azure: an Entra token, instead of api_key"},
    Setting{"providers.<name>.project", text, "", "", "", "", live, "vertex: the project's id (required)"},
    Setting{"providers.<name>.location", text, "", "", "", "", live, "vertex: a region, or global (required)"},
    Setting{"providers.<name>.service_account", file, "", "", "", "", live,
            "vertex: the service account's JSON key file (required)"},
    Setting{"providers.<name>.region", text, "", "", "", "", live, "bedrock: like eu-central-1; else $AWS_REGION"},
    Setting{"providers.<name>.access_key_id", secret, "", "", "", "", live,
            "bedrock; without it and secret_access_key: $AWS_ACCESS_KEY_ID and its companions"},
    Setting{"providers.<name>.secret_access_key", secret, "", "", "", "", live, "bedrock"},
    Setting{"providers.<name>.session_token", secret, "", "", "", "", live, "bedrock: of temporary credentials"},
    Setting{"providers.<name>.speed", decimal, "0", "0", "1000000", "", live,
            "demo only: tokens per second; 0: as fast as it goes"},

    Setting{"models.<name>.provider", name, "", "", "", "", live, "a name under providers (required)"},
    Setting{"models.<name>.id", text, "", "", "", "", live, "the name sent to the provider; else the model's own"},
    WEIR_PRICE("models.<name>"),
    Setting{"models.<name>.context", count, "", "1", "1000000000", "", live,
            "context window in tokens; else the catalogue's"},
    Setting{"models.<name>.abilities", names, "", "", "", "images documents tools schema reasoning streaming", live,
            "all that it can be asked for; else the catalogue's, and where that is silent everything"},
    Setting{"models.<name>.zone", text, "", "", "", "", live, "where it runs, for zones:"},
    Setting{"models.<name>.max_in_flight", count, "", "1", "1000000", "", live,
            "calls at once, of the process; beyond it the next place, else 503"},
    Setting{"models.<name>.deployments.[].provider", name, "", "", "", "", live,
            "instead of provider: a list of places that have this model (required)"},
    Setting{"models.<name>.deployments.[].id", text, "", "", "", "", live, "the name there; else the model's id"},
    WEIR_PRICE("models.<name>.deployments.[]"),
    Setting{"models.<name>.deployments.[].weight", count, "1", "0", "1000000", "", live, "for fill: weight"},
    Setting{"models.<name>.deployments.[].max_in_flight", count, "", "1", "1000000", "", live,
            "calls at once, of the process; beyond it the next place"},
    Setting{"models.<name>.deployments.[].zone", text, "", "", "", "", live, "else the model's"},
    Setting{"models.<name>.fill", choice, "first", "", "", "first weight latency", live,
            "which place of several: the first that has room, by weight, or the faster of two at random"},
    WEIR_TIMEOUTS("models.<name>"),

    Setting{"routes.<name>.model", text, "", "", "", "", live, "a name under models, or provider/model (required)"},
    Setting{"routes.<name>.task", task, "", "", "", "", live, "task type of calls that name none"},
    Setting{"routes.<name>.deadline", duration, "", "1ms", "24h", "", live,
            "of the call with all its attempts; else the first target's total"},
    Setting{"routes.<name>.key", choice, "weir", "", "", "weir caller", live,
            "whose provider key goes upstream: weir's, or the one that the caller sent beside its weir key"},
    Setting{"routes.<name>.keep_text", duration, "", "1s", "8760h", "", live,
            "the ledger keeps prompt and answer of its calls so long; without it no text is ever kept"},
    Setting{"routes.<name>.fallback", names, "", "", "", "", live,
            "models that take the call when the one before failed; each as in model"},
    WEIR_WAY("routes.<name>"),
    WEIR_TIMEOUTS("routes.<name>"),

    Setting{"defaults.deadline", duration, "", "1ms", "24h", "", live, "of every call whose route has none"},
    Setting{"defaults.keep_text", duration, "", "1s", "8760h", "", live, "of every route that says nothing itself"},
    WEIR_WAY("defaults"),
    WEIR_TIMEOUTS("defaults"),

    Setting{"retry.budget", percent, "10%", "0%", "100%", "", live,
            "retries and fallbacks a provider may receive, of its calls in ten seconds; besides it always 100"},
    Setting{"retry.backoff.base", duration, "100ms", "1ms", "1m", "", live,
            "the first wait is a random time up to this, each further one up to twice as long"},
    Setting{"retry.backoff.cap", duration, "5s", "1ms", "10m", "", live,
            "no wait is longer; where a provider asks for more, the client gets its answer instead"},

    Setting{"keys.[].name", text, "", "", "", "", live, "what the key is called in metrics, ledger and log (required)"},
    Setting{"keys.[].hash", key_hash, "", "", "", "", live, "`sha256:…` as `weir keys new` prints it (required)"},
    Setting{"keys.[].group", text, "", "", "", "", live, "a name under groups"},
    Setting{"keys.[].models", names, "", "", "", "", live,
            "the names it may ask for, `provider/*` too; without it and routes: all"},
    Setting{"keys.[].routes", names, "", "", "", "", live, "the routes it may ask for"},
    Setting{"keys.[].zones", names, "", "", "", "", live, "the only zones its calls may go to"},
    Setting{"keys.[].may", names, "", "", "", "task route cache compress tags lane include passthrough", live,
            "which x-weir-* headers it may send; passthrough: with models, still every other path"},
    Setting{"keys.[].expires", date, "", "", "", "", live, "from then on it is refused"},
    Setting{"groups.<name>.parent", text, "", "", "", "", live, "the group that this one is part of"},

    Setting{"stores.keys", file, "", "", "", "", restart,
            "what `weir keys` changed at run time; without it weir.keys beside the ledger"},
    Setting{"stores.cache", choice, "memory", "", "", "memory", restart, "not used yet"},
    Setting{"stores.ledger", secret, "weir.db", "", "", "off", restart,
            "where every call is booked: a SQLite file, `postgres://…`, or off; without a settings file it lies in "
            "$STATE_DIRECTORY, else ~/.local/state/weir"},
};
#undef WEIR_TIMEOUTS
#undef WEIR_WAY

// Named by the contract, not built yet: said plainly instead of "unknown key".
constexpr auto kPlanned = std::to_array<std::string_view>({"keys.[].limits",
                                                           "groups.<name>.budget",
                                                           "groups.<name>.on_exhaust",
                                                           "groups.<name>.limits",
                                                           "classify",
                                                           "embedding",
                                                           "stores.cache_memory",
                                                           "stores.cache_file",
                                                           "stores.redis",
                                                           "models.<name>.price.monthly",
                                                           "routes.<name>.tiers",
                                                           "routes.<name>.split",
                                                           "routes.<name>.choose",
                                                           "routes.<name>.among",
                                                           "routes.<name>.cascade",
                                                           "routes.<name>.compress",
                                                           "routes.<name>.output",
                                                           "routes.<name>.prompt_cache",
                                                           "routes.<name>.cache",
                                                           "defaults.cache"});

/// Compares in the unit of the kind, so that 90s is past a bound of 1m.
template <class T>
std::optional<std::string> outside(const Setting& setting, const Result<T>& value,
                                   Result<T> (*parse)(std::string_view)) {
  if (!value) {
    const std::string words = setting.choices.empty() ? "" : fmt::format(", or {}", setting.choices);
    return value.error().message + words;
  }
  if (!setting.least.empty() && *value < *parse(setting.least))
    return fmt::format("must be at least {}", setting.least);
  if (!setting.most.empty() && *value > *parse(setting.most)) return fmt::format("must be at most {}", setting.most);
  return std::nullopt;
}

bool is_choice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const auto word = choices.substr(0, choices.find(' '));
    if (word == value) return true;
    choices.remove_prefix(std::min(choices.size(), word.size() + 1));
  }
  return false;
}

std::string list_of(std::string_view choices) {
  std::string list{choices};
  for (std::size_t at = 0; (at = list.find(' ', at)) != std::string::npos; at += 2) list.replace(at, 1, ", ");
  return list;
}

bool has_control(std::string_view value) {
  return std::any_of(value.begin(), value.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

std::optional<std::string> text_complaint(std::string_view value, std::size_t most) {
  if (value.empty()) return "must not be empty";
  if (value.size() > most) return fmt::format("must have at most {} characters", most);
  if (has_control(value)) return "must not contain line breaks or control characters";
  return std::nullopt;
}

std::optional<std::string> task_complaint(std::string_view value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == ':' || c == '-';
  });
  if (value.empty() || value.size() > 64 || !plain) return "must be 1 to 64 of A-Z a-z 0-9 _ . : -";
  if (value.starts_with("weir:")) return "must not begin with weir:, which is reserved";
  return std::nullopt;
}

template <class T>
std::optional<std::string> error_of(const Result<T>& value) {
  return value ? std::nullopt : std::optional{value.error().message};
}

}  // namespace

std::span<const Setting> all_settings() {
  return kSettings;
}

const Setting* find_setting(std::string_view pattern) {
  const auto found =
      std::find_if(kSettings.begin(), kSettings.end(), [&](const Setting& s) { return s.path == pattern; });
  return found == kSettings.end() ? nullptr : &*found;
}

std::vector<std::string_view> keys_below(std::string_view pattern) {
  std::vector<std::string_view> keys;
  for (const auto& setting : kSettings) {
    std::string_view rest = setting.path;
    if (!pattern.empty()) {
      if (!rest.starts_with(pattern) || rest.size() <= pattern.size() || rest[pattern.size()] != '.') continue;
      rest.remove_prefix(pattern.size() + 1);
    }
    const auto key = rest.substr(0, rest.find('.'));
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }
  return keys;
}

bool is_planned(std::string_view pattern) {
  return std::find(kPlanned.begin(), kPlanned.end(), pattern) != kPlanned.end();
}

bool is_planned(std::string_view pattern, std::string_view value) {
  return pattern.starts_with("stores.") && !value.empty();
}

std::optional<std::string> complaint(const Setting& setting, std::string_view value) {
  if (is_choice(setting.choices, value)) return std::nullopt;
  switch (setting.kind) {
    case choice:
      return fmt::format("must be {}{}", list_of(setting.choices).find(',') == std::string::npos ? "" : "one of ",
                         list_of(setting.choices));
    case text:
    case name:
      return text_complaint(value, 256);
    case file:
      return text_complaint(value, 4096);
    case secret:
      if (value.size() > 8192) return "must have at most 8192 characters";
      return has_control(value) ? std::optional<std::string>{"must not contain line breaks or control characters"}
                                : std::nullopt;
    case task:
      return task_complaint(value);
    case flag:
      return error_of(parse_flag(value));
    case count:
      return outside(setting, parse_count(value), &parse_count);
    case percent:
      return outside(setting, parse_percent(value), &parse_percent);
    case secrets:
      if (value.size() > 8192) return "must have at most 8192 characters";
      return has_control(value) ? std::optional<std::string>{"must not contain line breaks or control characters"}
                                : text_complaint(value, 8192);
    case decimal:
      return outside(setting, parse_decimal(value), &parse_decimal);
    case dollars:
      return outside(setting, parse_dollars(value), &parse_dollars);
    case money:
      return outside(setting, parse_money(value), &parse_money);
    case duration:
      return outside(setting, parse_duration(value), &parse_duration);
    case size:
      return outside(setting, parse_size(value), &parse_size);
    case address:
    case addresses:
      return error_of(parse_address(value));
    case url:
      return error_of(parse_base_url(value));
    case names:
      if (!setting.choices.empty()) return fmt::format("may hold {}", list_of(setting.choices));
      return text_complaint(value, 256);
    case key_hash:
      return error_of(parse_key_hash(value));
    case date:
      return error_of(parse_date(value));
  }
  return std::nullopt;
}

}  // namespace weir::settings
