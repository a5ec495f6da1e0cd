#include "settings/load.hpp"

#include <gmock/gmock.h>

#include "settings/known_providers.hpp"
#include "unit/settings/loading.hpp"

namespace weir::settings {
namespace {

using namespace std::chrono_literals;
using testing::bad;
using ::testing::ElementsAre;
using testing::good;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::warnings;
using testing::World;

constexpr std::string_view kProvider = "providers: {one: {base_url: http://127.0.0.1:1/v1}}\n";

std::string with_provider(std::string_view text) {
  return std::string{kProvider} + std::string{text};
}

const providers::ProviderSettings& provider(const Settings& settings, std::string_view name) {
  for (const auto& one : settings.providers) {
    if (one.name == name) return one;
  }
  static const providers::ProviderSettings none;
  ADD_FAILURE() << "no provider " << name;
  return none;
}

// What a whole file becomes.

TEST(Load, every_setting_arrives) {
  const auto s = good(R"(
listen: [127.0.0.1:1234, {address: "[::1]:1235", tls: {cert: own.pem, key: own.key}}]
tls: {cert: c.pem, key: k.pem}
open: true
admin: {listen: 127.0.0.2:9999, token: "tok"}
threads: 3
drain: 90s
default: openai
limits: {body: 1MiB, head: 8KiB, connections: 10, in_flight: 20, bodies: 2MiB, head_time: 1s, body_time: 2s, idle: 3s}
queue: {max: 500ms}
log: {to: calls.log, level: debug}
providers:
  openai:
    protocol: openai
    base_url: https://api.example.com/v1/
    api_key: "${KEY}"
    headers: {x-team: blue, x-two: "2"}
    tls: {ca: ca.pem, verify: false}
    connections: {max: 7, idle: 8s}
    timeouts: {connect: 1s, first_byte: 30s, between_bytes: 4s, total: 5m}
  demo: {protocol: demo, speed: 12.5}
models:
  small: {provider: openai, id: real-small, context: 32768, price: {input: 0.15, output: 0.6, cache_read: 0.075, cache_write: 0.2},
          timeouts: {total: 1m}}
  own: {provider: demo}
routes:
  support: {model: small, task: support, deadline: 45s, timeouts: {first_byte: auto}}
defaults: {deadline: 2m}
stores: {cache: memory, ledger: off}
)",
                      {.variables = {{"KEY", "sk-1"}}, .files = {}});
  EXPECT_THAT(s.listen, ElementsAre(net::ListenSettings{"127.0.0.1", 1234, "c.pem", "k.pem"},
                                    net::ListenSettings{"::1", 1235, "own.pem", "own.key"}));
  EXPECT_TRUE(s.open);
  EXPECT_EQ(s.admin, (admin::AdminSettings{"127.0.0.2", 9999, "tok"}));
  EXPECT_EQ(s.threads, 3U);
  EXPECT_EQ(s.drain, 90s);
  EXPECT_EQ(s.default_provider, "openai");
  EXPECT_EQ(s.limits, (net::LimitSettings{1U << 20, 8U << 10, 10, 20, 2U << 20, 1s, 2s, 3s, 500ms}));
  EXPECT_EQ(s.log, (telemetry::LogSettings{"calls.log", telemetry::LogLevel::debug}));
  providers::ProviderSettings openai{.name = "openai",
                                     .protocol = providers::Protocol::openai,
                                     .base_url = "https://api.example.com/v1",
                                     .api_key = "sk-1",
                                     .headers = {{"x-team", "blue"}, {"x-two", "2"}},
                                     .ca_file = "ca.pem",
                                     .verify = false,
                                     .connections_max = 7,
                                     .connections_idle = 8s,
                                     .timeouts = {1s, 30s, 4s, 5min},
                                     .demo_tokens_per_second = 0,
                                     .off_because = ""};
  openai.error_codes = error_codes_of("openai", openai.base_url);
  EXPECT_EQ(provider(s, "openai"), openai);
  EXPECT_EQ(provider(s, "demo").protocol, providers::Protocol::demo);
  EXPECT_EQ(provider(s, "demo").demo_tokens_per_second, 12.5);
  ASSERT_EQ(s.models.size(), 2U);
  EXPECT_EQ(s.models[0].id, "real-small");
  EXPECT_EQ(s.models[0].context, 32768);
  EXPECT_EQ(s.models[0].price.price, (Price{{150'000'000}, {600'000'000}, {75'000'000}, {200'000'000}}));
  EXPECT_EQ(s.models[0].timeouts.total, 60s);
  EXPECT_EQ(s.models[1].id, "own");
  EXPECT_EQ(s.models[1].price.price, std::nullopt);
  ASSERT_EQ(s.routes.size(), 1U);
  EXPECT_EQ(s.routes[0].task, "support");
  EXPECT_EQ(s.routes[0].deadline, 45s);
  EXPECT_EQ(s.routes[0].timeouts.first_byte, 0ms) << "auto is zero";
  EXPECT_EQ(s.deadline, 2min);
  EXPECT_THAT(s.warnings, IsEmpty());
}

TEST(Load, memory_for_bodies_holds_at_least_one) {
  EXPECT_THAT(bad("limits: {body: 2MiB, bodies: 1MiB}\n"), HasSubstr("weir.yaml:1:22: limits.bodies must be at least"));
  EXPECT_EQ(good("limits: {body: 2MiB, bodies: 2MiB}\n").limits.bodies_bytes, 2U << 20);
  EXPECT_EQ(good("limits: {bodies: auto}\n").limits.bodies_bytes, 0U);
}

TEST(Load, an_empty_file_is_all_defaults) {
  const auto s = good("");
  const Settings fresh;
  EXPECT_EQ(s.listen, fresh.listen);
  EXPECT_EQ(s.limits, fresh.limits);
  EXPECT_EQ(s.admin, fresh.admin);
  EXPECT_EQ(s.drain, fresh.drain);
  ASSERT_EQ(s.providers.size(), 1U);
  EXPECT_EQ(s.providers[0].name, "demo");
}

TEST(Load, empty_sections_are_allowed) {
  good("limits:\nlog: {}\nmodels:\nroutes:\nproviders:\ndefaults:\nadmin:\n");
}

TEST(Load, cache_prices_default_to_the_input_price) {
  const auto s = good(with_provider("models: {m: {provider: one, price: {input: 2, output: 3}}}"));
  EXPECT_EQ(s.models.at(0).price.price->cache_read.value, 2'000'000'000);
  EXPECT_EQ(s.models.at(0).price.price->cache_write.value, 2'000'000'000);
}

TEST(Load, default_timeouts_fill_what_a_provider_leaves_open) {
  const auto s = good(
      "defaults: {timeouts: {connect: 3s, total: 4s}}\n"
      "providers: {one: {base_url: http://x/v1, timeouts: {total: 1s}}}");
  EXPECT_EQ(provider(s, "one").timeouts.connect, 3s);
  EXPECT_EQ(provider(s, "one").timeouts.total, 1s);
  EXPECT_FALSE(provider(s, "one").timeouts.between_bytes);
}

TEST(Load, yaml_anchors_work) {
  const auto s = good("providers:\n  a: &p {base_url: http://x/v1, connections: {max: 5}}\n  b: *p\n");
  EXPECT_EQ(provider(s, "b").connections_max, 5U);
}

// Keys, types, bounds: each with its place.

TEST(Load, an_unknown_key_has_file_line_column_and_suggestion) {
  EXPECT_EQ(bad("routes:\n  support:\n    modle: demo\n"),
            "weir.yaml:2:3: route support has no model: write {model: NAME}\n"
            "weir.yaml:3:5: unknown key \"modle\". Did you mean \"model\"?\n");
}
TEST(Load, an_unknown_key_without_a_neighbour_lists_what_there_is) {
  EXPECT_EQ(bad("log: {banana: 1}\n"), "weir.yaml:1:7: unknown key \"banana\". log takes: to, level\n");
}
TEST(Load, a_path_with_dots_is_not_a_key) {
  EXPECT_THAT(bad("limits.body: 1MiB\n"), HasSubstr("unknown key \"limits.body\""));
  EXPECT_THAT(bad("providers.<name>.speed: 1\n"), HasSubstr("unknown key"));
  EXPECT_THAT(bad("stores.redis: x\n"), HasSubstr("unknown key"));
}
TEST(Load, all_problems_are_reported_in_the_order_of_the_file) {
  EXPECT_EQ(bad("threads: many\ndrain: 10\nlimits: {body: 0B}\nopen: yes\n"),
            "weir.yaml:1:10: threads must be a whole number, or auto, not \"many\"\n"
            "weir.yaml:2:8: drain must be a time like 500ms, 2s, 10m or 1h, not \"10\"\n"
            "weir.yaml:3:16: limits.body must be at least 1KiB, not \"0B\"\n"
            "weir.yaml:4:7: open must be true or false, not \"yes\"\n");
}
TEST(Load, a_key_twice_is_an_error) {
  EXPECT_EQ(bad("drain: 1s\ndrain: 2s\n"), "weir.yaml:2:1: \"drain\" is written twice; the first is in line 1\n");
  EXPECT_THAT(bad("models:\n  a: {provider: demo}\n  a: {provider: demo}\n"), HasSubstr("3:3: \"a\" is written twice"));
}
TEST(Load, a_list_or_a_map_in_place_of_a_value) {
  EXPECT_EQ(bad("threads: [1]\n"), "weir.yaml:1:10: threads must be one value, not a list\n");
  EXPECT_EQ(bad("threads: {a: 1}\n"), "weir.yaml:1:10: threads must be one value, not keys\n");
  EXPECT_EQ(bad("threads:\n"), "weir.yaml:1:1: threads has no value\n");
}
TEST(Load, a_value_in_place_of_a_section) {
  EXPECT_THAT(bad("limits: 5\n"), HasSubstr("1:9: limits must have keys below it"));
  EXPECT_THAT(bad("- a\n- b\n"), HasSubstr("1:1: must be keys with values"));
  EXPECT_THAT(bad("providers: {one: x}\n"), HasSubstr("providers.one must have keys below it"));
}
TEST(Load, bounds_are_compared_in_their_unit) {
  EXPECT_THAT(bad("drain: 25h\n"), HasSubstr("drain must be at most 24h, not \"25h\""));
  EXPECT_THAT(bad("limits: {idle: 999ms}\n"), HasSubstr("limits.idle must be at least 1s"));
  good("drain: 1440m\n");
}
TEST(Load, not_yaml_at_all) {
  EXPECT_THAT(bad("listen: [127.0.0.1:8080\nopen: true\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(bad("\topen: true\n"), HasSubstr("weir.yaml:1:"));
}
TEST(Load, one_document_only) {
  EXPECT_THAT(bad("drain: 1s\n---\ndrain: 2s\n"), HasSubstr("must be one YAML document"));
}
TEST(Load, aliases_that_grow_exponentially_are_refused) {
  std::string text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    const char before = static_cast<char>(c - 1);
    text += std::string{c} + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) text += std::string{i ? ",*" : "*"} + before;
    text += "]\n";
  }
  EXPECT_THAT(bad(text), HasSubstr("too many values"));
}
TEST(Load, deep_nesting_is_refused) {
  EXPECT_THAT(bad("a: " + std::string(100, '[') + std::string(100, ']')), HasSubstr("nested too deeply"));
}
TEST(Load, a_setting_of_the_contract_that_is_not_built_is_said_to_be) {
  EXPECT_THAT(bad(with_provider("routes:\n  support:\n    model: one/x\n    cascade: {gates: [not_empty]}\n")),
              HasSubstr("weir.yaml:5:5: \"routes.support.cascade\" is not supported yet (see docs/roadmap.md)"));
  for (const char* text :
       {"keys: [{name: a, limits: {requests: 1/min}}]", "groups: {a: {budget: 1 USD/month}}", "classify: {task: auto}",
        "stores: {redis: x}", "embedding: {engine: builtin}", "routes: {a: {compress: {}}}", "routes: {a: {tiers: []}}",
        "routes: {a: {split: []}}", "routes: {a: {choose: cheapest}}"}) {
    EXPECT_THAT(bad(text), HasSubstr("is not supported yet (see docs/roadmap.md)")) << text;
  }
}

// Variables.

TEST(Load, variables_work_in_every_kind_of_value) {
  const auto s = good("threads: ${N}\ndrain: ${D:-5s}\nlisten: 127.0.0.1:${P}\n",
                      {.variables = {{"N", "2"}, {"P", "81"}}, .files = {}});
  EXPECT_EQ(s.threads, 2U);
  EXPECT_EQ(s.drain, 5s);
  EXPECT_EQ(s.listen.at(0).port, 81);
}
TEST(Load, an_unset_variable_is_an_error_with_its_place) {
  EXPECT_EQ(bad("threads: ${N}\n"),
            "weir.yaml:1:10: threads: the variable N is not set. Set it or write ${N:-default}\n");
}
TEST(Load, a_provider_with_an_unset_variable_is_off_and_said_so) {
  const auto s = good("providers: {openai: {api_key: \"${OPENAI_API_KEY}\"}}\ndefault: openai\n");
  EXPECT_EQ(provider(s, "openai").off_because, "OPENAI_API_KEY");
  EXPECT_EQ(warnings(s), "provider openai is off: OPENAI_API_KEY is not set\n");
}
TEST(Load, an_empty_variable_is_unset) {
  const auto s = good("providers: {openai: {api_key: \"${OPENAI_API_KEY}\"}}\n",
                      {.variables = {{"OPENAI_API_KEY", ""}}, .files = {}});
  EXPECT_EQ(provider(s, "openai").off_because, "OPENAI_API_KEY");
}
TEST(Load, strict_makes_an_off_provider_an_error) {
  EXPECT_EQ(bad("providers:\n  openai: {api_key: \"${OPENAI_API_KEY}\"}\n", {},
                {.profile = "", .strict = true, .catalogue = nullptr, .found = {}}),
            "weir.yaml:2:21: provider openai is off: OPENAI_API_KEY is not set\n");
}
TEST(Load, a_key_from_a_file) {
  const auto s =
      good("providers: {openai: {api_key: \"${file:/run/k}\"}}\n", {.variables = {}, .files = {{"/run/k", "sk-2\n"}}});
  EXPECT_EQ(provider(s, "openai").api_key, "sk-2");
  EXPECT_THAT(bad("providers: {openai: {api_key: \"${file:/run/none}\"}}\n"),
              HasSubstr("1:31: /run/none cannot be read"));
}

TEST(Load, control_characters_in_a_message_are_masked) {
  EXPECT_EQ(bad("\"a\\nb\\e[2J\": 1\n").find_first_of("\x1b"), std::string::npos);
  EXPECT_THAT(bad("\"a\\nb\": 1\n"), HasSubstr("unknown key \"a?b\""));
}

// Secrets.

TEST(Load, no_message_shows_a_secret) {
  const World world{.variables = {{"S", "hunter2"}, {"BAD", "hunter2\nx: y"}}, .files = {{"/s", "hunter2\n\n"}}};
  for (const char* text : {"threads: ${S}",
                           "drain: ${file:/s}",
                           "listen: ${S}",
                           "log: {level: \"${S}\"}",
                           "default: ${S}",
                           "admin: {token: \"${BAD}\"}",
                           "admin: {token: \"hunter2\\n\"}",
                           "admin: {token: [hunter2]}",
                           "admin: {token: {a: hunter2}}",
                           "providers: {a: {base_url: \"${S}\"}}",
                           "providers: {a: {base_url: \"http://u:hunter2@x/v1\", api_key: [hunter2]}}",
                           "providers: {a: {base_url: http://x, api_key: \"hunter2\\r\\n\"}}",
                           "providers: {a: {base_url: http://x, api_key: \"${BAD}\"}}",
                           "providers: {a: {base_url: http://x, headers: {authorization: \"hunter2\\n\"}}}",
                           "providers: {a: {base_url: http://x, headers: {\"bad header\": hunter2}}}",
                           "models: {m: {provider: \"${S}\"}}",
                           "routes: {r: {model: \"${S}\"}}",
                           "routes: {r: {model: \"${S}/x\"}}",
                           "routes: {r: {model: demo, task: \"${BAD}\"}}",
                           "stores: {ledger: \"${BAD}\"}",
                           "keys: [{name: a, hash: \"${S}\"}]",
                           "providers: {a: {protocol: \"${S}\"}}"}) {
    const auto problems = bad(text, world);
    EXPECT_NE(problems, "no problem\n") << text;
    EXPECT_THAT(problems, Not(HasSubstr("hunter2"))) << text;
  }
}
TEST(Load, a_password_in_a_url_is_refused_without_repeating_it) {
  const auto problems = bad("providers: {a: {base_url: \"http://u:hunter2@x/v1\"}}");
  EXPECT_THAT(problems, HasSubstr("must not hold a user or a password"));
  EXPECT_THAT(problems, Not(HasSubstr("hunter2")));
}
TEST(Load, warnings_show_no_secret) {
  const auto s = good("providers: {a: {base_url: http://x, api_key: hunter2, headers: {x: \"${NONE}\"}}}");
  EXPECT_THAT(warnings(s), Not(HasSubstr("hunter2")));
}
TEST(Load, a_header_cannot_be_split) {
  EXPECT_THAT(bad("providers: {a: {base_url: http://x, headers: {x: \"a\\r\\nb: c\"}}}"),
              HasSubstr("providers.a.headers.x must not contain line breaks"));
}
TEST(Load, traces) {
  const auto off = good("drain: 1s");
  EXPECT_EQ(off.traces, telemetry::TracesSettings{});
  const auto on =
      good("traces: {endpoint: \"http://127.0.0.1:4318/v1/traces/\", sample: 0.25, headers: {x-key: hunter2}}");
  EXPECT_EQ(on.traces.endpoint, "http://127.0.0.1:4318/v1/traces");
  EXPECT_EQ(on.traces.sample, 0.25);
  EXPECT_EQ(on.traces.headers, (std::vector<std::pair<std::string, std::string>>{{"x-key", "hunter2"}}));
  EXPECT_EQ(restart_only_changes(off, on),
            (std::vector<std::string>{"traces.endpoint", "traces.sample", "traces.headers.<header>"}));
  EXPECT_THAT(bad("traces: {endpoint: collector:4318}"), HasSubstr("traces.endpoint must begin with http"));
  EXPECT_THAT(bad("traces: {sample: 1.5}"), HasSubstr("traces.sample must be at most 1"));
  EXPECT_THAT(bad("traces: {sample: -1}"), HasSubstr("traces.sample"));
  EXPECT_THAT(bad("traces: {headers: {content-type: x}}"), HasSubstr("weir sets this header itself"));
  EXPECT_THAT(bad("traces: {headers: {x: \"a\\r\\nb: c\"}}"),
              HasSubstr("traces.headers.x must not contain line breaks"));
}
TEST(Load, headers_that_frame_a_message_are_not_settable) {
  for (const char* name : {"Host", "content-length", "Transfer-Encoding", "connection"}) {
    EXPECT_THAT(bad(std::string{"providers: {a: {base_url: http://x, headers: {"} + name + ": x}}}"),
                HasSubstr("weir sets this header itself"));
  }
}

// Entries and what they refer to.

TEST(Load, a_name_in_routes_and_models_is_an_error) {
  EXPECT_THAT(bad(with_provider("models: {x: {provider: one}}\nroutes:\n  x: {model: one/y}\n")),
              HasSubstr("weir.yaml:4:3: \"x\" is both a route and a model"));
}
TEST(Load, a_default_that_is_not_configured_is_an_error) {
  EXPECT_EQ(bad(with_provider("default: oen\n")),
            "weir.yaml:2:10: default: provider \"oen\" is not configured. Did you mean \"one\"?\n");
}
TEST(Load, a_known_provider_without_its_key_names_the_variable) {
  EXPECT_THAT(bad("default: openai\n"), HasSubstr("is not configured. Set OPENAI_API_KEY, or add it under providers:"));
}
TEST(Load, a_default_that_is_off_is_allowed) {
  good("providers: {openai: {api_key: \"${NONE}\"}}\ndefault: openai\n");
}
TEST(Load, a_models_provider_must_exist) {
  EXPECT_THAT(bad(with_provider("models: {m: {provider: onne}}\n")),
              HasSubstr("2:24: model m: provider \"onne\" is not configured. Did you mean \"one\"?"));
  EXPECT_THAT(bad(with_provider("models: {m: {id: x}}\n")), HasSubstr("model m has no provider"));
}
TEST(Load, a_routes_model_must_exist) {
  EXPECT_THAT(bad(with_provider("models: {small: {provider: one}}\nroutes: {r: {model: smal}}\n")),
              HasSubstr("3:21: route r: model \"smal\" is not configured. Did you mean \"small\"?"));
  EXPECT_THAT(bad(with_provider("routes: {r: {model: far-away}}\n")),
              HasSubstr("Add it under models: or write provider/model"));
  EXPECT_THAT(bad(with_provider("routes: {r: {model: two/x}}\n")),
              HasSubstr("\"two/x\" is neither a model nor provider/model"));
  EXPECT_THAT(bad(with_provider("routes: {r: {model: one/}}\n")), HasSubstr("no model after the slash"));
}
TEST(Load, a_route_may_name_provider_slash_model) {
  EXPECT_EQ(good(with_provider("routes: {r: {model: one/a/b}}\n")).routes.at(0).model, "one/a/b");
}
TEST(Load, a_route_may_name_demo) {
  EXPECT_EQ(good("routes: {r: {model: demo}}\n").routes.at(0).model, "demo/demo");
}
TEST(Load, a_route_does_not_name_a_route) {
  EXPECT_THAT(bad("routes: {a: {model: demo}, b: {model: a}}\n"), HasSubstr("\"a\" is a route; name a model"));
}
TEST(Load, a_provider_needs_a_base_url) {
  EXPECT_EQ(bad("providers:\n  mine: {api_key: x}\n"),
            "weir.yaml:2:3: provider mine has no base_url, like https://api.example.com/v1\n");
  EXPECT_EQ(provider(good("providers: {groq: {api_key: x}}\n"), "groq").base_url, "https://api.groq.com/openai/v1");
}
TEST(Load, demo_takes_no_url_and_others_no_speed) {
  EXPECT_THAT(bad("providers: {demo: {protocol: demo, base_url: http://x}}"), HasSubstr("has no base_url"));
  EXPECT_THAT(bad("providers: {a: {base_url: http://x, speed: 5}}"), HasSubstr("speed is for protocol demo only"));
}
TEST(Load, demo_is_always_configured) {
  EXPECT_EQ(good(kProvider).providers.back().name, "demo");
}
TEST(Load, names_have_their_letters) {
  EXPECT_THAT(bad("providers: {a/b: {base_url: http://x}}"), HasSubstr("\"a/b\": a provider's name may have"));
  EXPECT_THAT(bad("models: {\"a b\": {provider: demo}}"), HasSubstr("\"a b\": a name may have"));
  good("models: {\"qwen3:8b\": {provider: demo}, org/model-1.5: {provider: demo}}");
}
TEST(Load, a_price_is_whole) {
  EXPECT_THAT(bad(with_provider("models: {m: {provider: one, price: {input: 1}}}")),
              HasSubstr("needs both input and output"));
  EXPECT_THAT(bad(with_provider("models: {m: {provider: one, price: {monthly: 1 USD}}}")),
              HasSubstr("\"models.m.price.monthly\" is not supported yet"));
  EXPECT_THAT(bad(with_provider("models: {m: {provider: one, price: 5}}")), HasSubstr("models.m.price must have keys"));
}
TEST(Load, a_task_type_has_its_letters_and_weir_is_reserved) {
  EXPECT_THAT(bad("routes: {r: {model: demo, task: \"a b\"}}"), HasSubstr("must be 1 to 64 of"));
  EXPECT_THAT(bad("routes: {r: {model: demo, task: \"weir:x\"}}"), HasSubstr("reserved"));
}

// Who may reach it.

TEST(Load, another_address_than_loopback_needs_open) {
  EXPECT_THAT(bad("listen: 0.0.0.0:8080\n"),
              HasSubstr("weir.yaml:1:9: listen: 0.0.0.0:8080 is reachable from other machines"));
  EXPECT_THAT(bad("listen: [127.0.0.1:1, \"[::]:8080\"]\n"), HasSubstr("[::]:8080 is reachable"));
  good("listen: 0.0.0.0:8080\nopen: true\n");
}
TEST(Load, the_admin_port_may_be_open_without_a_token) {
  EXPECT_EQ(good("admin: {listen: 0.0.0.0:9090}\n").admin.host, "0.0.0.0");
}
TEST(Load, tls_needs_both_files) {
  EXPECT_THAT(bad("tls: {cert: a}\n"), HasSubstr("1:1: tls needs both cert and key"));
}
TEST(Load, an_address_twice) {
  EXPECT_THAT(bad("listen: [127.0.0.1:1, 127.0.0.1:1]\n"), HasSubstr("listen names 127.0.0.1:1 twice"));
  EXPECT_THAT(bad("listen: []\n"), HasSubstr("listen has no address"));
  EXPECT_THAT(bad("listen: {tls: {cert: a, key: b}}\n"), HasSubstr("listen has no address"));
  EXPECT_THAT(bad("listen: [{addr: 127.0.0.1:1}]\n"), HasSubstr("an item is an address or"));
}

// Warnings.

TEST(Load, a_model_that_nearly_has_a_price_is_noted) {
  catalogue::ModelFacts known;
  known.id = "gpt-4o-mini";
  const catalogue::Catalogue catalogue{{known}};
  const LoadOptions options{.profile = "", .strict = false, .catalogue = &catalogue, .found = {}};
  EXPECT_THAT(warnings(good(with_provider("models: {gpt-4o-mnii: {provider: one}}"), {}, options)),
              HasSubstr("Did you mean \"gpt-4o-mini\"?"));
  EXPECT_EQ(
      warnings(good(with_provider("models: {mine: {provider: one}, x: {provider: one, id: gpt-4o-mini-2024-07-18}}"),
                    {}, options)),
      "");
}
TEST(Load, a_base_url_without_its_end_is_noted) {
  EXPECT_THAT(warnings(good("providers: {openai: {base_url: \"https://api.openai.com\"}}")),
              HasSubstr("lacks the end of https://api.openai.com/v1"));
}

// Profiles.

constexpr std::string_view kProfiles = R"(
providers: {one: {base_url: http://x/v1, connections: {max: 5}}}
routes: {support: {model: one/big, task: support}}
profiles:
  dev: {routes: {support: {model: demo}}, providers: {one: {connections: {idle: 9s}}}}
)";
TEST(Load, a_profile_is_laid_over_map_by_map) {
  const auto s = good(kProfiles, {}, {.profile = "dev", .strict = false, .catalogue = nullptr, .found = {}});
  EXPECT_EQ(s.routes.at(0).model, "demo/demo");
  EXPECT_EQ(s.routes.at(0).task, "support");
  EXPECT_EQ(provider(s, "one").connections_max, 5U);
  EXPECT_EQ(provider(s, "one").connections_idle, 9s);
}
TEST(Load, without_the_option_a_profile_does_nothing) {
  EXPECT_EQ(good(kProfiles).routes.at(0).model, "one/big");
}
TEST(Load, a_profile_that_is_not_there) {
  EXPECT_THAT(bad(kProfiles, {}, {.profile = "dve", .strict = false, .catalogue = nullptr, .found = {}}),
              HasSubstr("there is no profile \"dve\". Did you mean \"dev\"?"));
}

// Files.

TEST(Load, a_file_gives_its_folder_to_relative_paths) {
  const World world{.variables = {},
                    .files = {{"/etc/weir/weir.yaml", "log: {to: calls.log}\ntls: {cert: c, key: /k}\n"}}};
  const auto s = load_file("/etc/weir/weir.yaml", world.environment());
  ASSERT_TRUE(s) << to_string(s.error());
  EXPECT_EQ(s->file, "/etc/weir/weir.yaml");
  EXPECT_EQ(s->log.to, "/etc/weir/calls.log");
  EXPECT_EQ(s->listen.at(0).certificate_file, "/etc/weir/c");
  EXPECT_EQ(s->listen.at(0).key_file, "/k");
}
TEST(Load, a_missing_file_is_named) {
  const auto s = load_file("/none.yaml", World{}.environment());
  ASSERT_FALSE(s);
  EXPECT_EQ(to_string(s.error()), "/none.yaml: cannot be read: No such file or directory\n");
}
TEST(Load, the_real_file_system_says_why_not) {
  const auto environment = Environment::of_process();
  EXPECT_EQ(environment.read_file("/proc/none").error().message, "cannot be read: No such file or directory");
  EXPECT_EQ(environment.read_file("/proc").error().message, "cannot be read: it is a folder");
  EXPECT_TRUE(environment.read_file(WEIR_SOURCE_DIR "/config/prices.yaml"));
}
TEST(Load, the_shipped_example_loads) {
  const auto text = Environment::of_process().read_file(WEIR_SOURCE_DIR "/config/weir.example.yaml");
  ASSERT_TRUE(text);
  good(*text);
  good(*text, {.variables = {{"OPENAI_API_KEY", "x"}, {"DEEPSEEK_API_KEY", "y"}}, .files = {}},
       {.profile = "dev", .strict = true, .catalogue = nullptr, .found = {}});
}

// Reload.

TEST(Reload, restart_only_settings_are_named) {
  const auto old = good("listen: 127.0.0.1:1\nthreads: 1\n");
  EXPECT_THAT(restart_only_changes(old, good("listen: 127.0.0.1:2\nthreads: 2\nadmin: {token: t}\n")),
              ElementsAre("listen", "admin.token", "threads"));
}
TEST(Reload, live_settings_are_not) {
  EXPECT_THAT(
      restart_only_changes(
          good(""), good(with_provider("drain: 1s\nlog: {to: stderr}\nlimits: {body: 1MiB}\ndefault: one\nmodels: {m: "
                                       "{provider: one}}\nroutes: {r: {model: m}}\nopen: true\n"))),
      IsEmpty());
}

}  // namespace
}  // namespace weir::settings
