#include "settings/document.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "settings/quantities.hpp"
#include "settings/registry.hpp"
#include "unit/settings/loading.hpp"

namespace weir::settings {
namespace {

using testing::good;

TEST(Document, docs_settings_md_is_what_the_program_prints) {
  const auto page = Environment::of_process().read_file(WEIR_SOURCE_DIR "/docs/settings.md");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(*page, print_markdown()) << "print it anew: weir schema --markdown > docs/settings.md";
}

/// A document that sets one path: `a.<name>.b` becomes `a: {x: {b: value}}`.
std::string document_of(std::string_view path, const std::string& value) {
  std::string text;
  std::string end;
  while (true) {
    const auto dot = path.find('.');
    auto key = std::string{path.substr(0, dot)};
    if (key == "[]") {
      text += '[';
      end.insert(0, "]");
      path.remove_prefix(dot + 1);
      key = std::string{path.substr(0, path.find('.'))};
      text += "{" + key + ": ";
      end.insert(0, "}");
      return text + "\"" + value + "\"" + end;
    }
    if (key.starts_with('<')) key = "demo";
    text += (text.empty() ? "" : "{") + key + ": ";
    if (text.size() > key.size() + 2) end += '}';
    if (dot == path.npos) return text + (value.starts_with('[') ? value : "\"" + value + "\"") + end;
    path.remove_prefix(dot + 1);
  }
}

TEST(Document, every_default_of_the_table_is_the_structs_default) {
  const Settings fresh;
  const providers::ProviderSettings provider;
  const auto ms = [](std::string_view text) { return parse_duration(text).value().count(); };
  const auto bytes = [](std::string_view text) { return parse_size(text).value(); };
  const std::map<std::string_view, std::function<bool(std::string_view)>> defaults{
      {"listen", [&](auto t) { return *parse_address(t) == Address{fresh.listen[0].host, fresh.listen[0].port}; }},
      {"open", [&](auto t) { return *parse_flag(t) == fresh.open; }},
      {"admin.listen", [&](auto t) { return *parse_address(t) == Address{fresh.admin.host, fresh.admin.port}; }},
      {"threads", [&](auto t) { return t == "auto" && fresh.threads == 0; }},
      {"drain", [&](auto t) { return ms(t) == fresh.drain.count(); }},
      {"limits.body", [&](auto t) { return bytes(t) == fresh.limits.body_bytes; }},
      {"limits.head", [&](auto t) { return bytes(t) == fresh.limits.head_bytes; }},
      {"limits.connections",
       [&](auto t) { return static_cast<std::size_t>(*parse_count(t)) == fresh.limits.connections; }},
      {"limits.in_flight", [&](auto t) { return t == "auto" && fresh.limits.in_flight == 0; }},
      {"limits.head_time", [&](auto t) { return ms(t) == fresh.limits.head_time.count(); }},
      {"limits.body_time", [&](auto t) { return ms(t) == fresh.limits.body_time.count(); }},
      {"limits.idle", [&](auto t) { return ms(t) == fresh.limits.idle.count(); }},
      {"log.to", [&](auto t) { return t == fresh.log.to; }},
      {"log.level", [&](auto t) { return t == "info" && fresh.log.level == telemetry::LogLevel::info; }},
      {"providers.<name>.protocol",
       [&](auto t) { return t == "openai" && provider.protocol == providers::Protocol::openai; }},
      {"providers.<name>.tls.verify", [&](auto t) { return *parse_flag(t) == provider.verify; }},
      {"providers.<name>.connections.max",
       [&](auto t) { return static_cast<std::size_t>(*parse_count(t)) == provider.connections_max; }},
      {"providers.<name>.connections.idle", [&](auto t) { return ms(t) == provider.connections_idle.count(); }},
      {"providers.<name>.speed", [&](auto t) { return *parse_decimal(t) == provider.demo_tokens_per_second; }},
      {"models.<name>.deployments.[].weight",
       [](auto t) { return *parse_count(t) == pipeline::DeploymentSettings{}.weight; }},
      {"models.<name>.fill", [](auto t) { return t == "first" && pipeline::ModelSettings{}.fill == Fill::first; }},
      {"retry.budget", [&](auto t) { return *parse_percent(t) == fresh.retry.budget_basis_points; }},
      {"retry.backoff.base", [&](auto t) { return ms(t) == fresh.retry.backoff_base.count(); }},
      {"retry.backoff.cap", [&](auto t) { return ms(t) == fresh.retry.backoff_cap.count(); }},
      {"stores.cache", [](auto t) { return t == "memory"; }},
      {"stores.ledger", [](auto t) { return t == "off"; }},
  };
  for (const auto& setting : all_settings()) {
    const auto row = defaults.find(setting.path);
    EXPECT_EQ(row != defaults.end(), !setting.fallback.empty()) << setting.path;
    if (row != defaults.end()) EXPECT_TRUE(row->second(setting.fallback)) << setting.path;
  }
}

TEST(Document, the_time_limits_named_in_the_help_are_the_structs) {
  const TimeLimits fresh;
  const auto help = [](std::string_view path) { return std::string{find_setting(path)->help}; };
  EXPECT_THAT(help("defaults.timeouts.connect"),
              ::testing::HasSubstr(std::to_string(fresh.connect.count() / 1000) + "s"));
  EXPECT_THAT(help("defaults.timeouts.between_bytes"),
              ::testing::HasSubstr(std::to_string(fresh.between_bytes.count() / 1000) + "s"));
  EXPECT_THAT(help("defaults.timeouts.total"),
              ::testing::HasSubstr(std::to_string(fresh.total.count() / 60'000) + "m"));
}

TEST(Document, every_default_bound_and_word_is_a_value_that_is_taken) {
  for (const auto& setting : all_settings()) {
    for (const auto value : {setting.fallback, setting.least, setting.most}) {
      if (!value.empty())
        EXPECT_EQ(complaint(setting, value).value_or("fine"), "fine") << setting.path << ": " << value;
    }
  }
}

TEST(Document, every_setting_reaches_the_loader_at_its_path) {
  for (const auto& setting : all_settings()) {
    // A value of the right notation for each kind: no key may be "unknown", no value of a wrong type.
    const std::map<Kind, std::string> samples{{Kind::text, "x"},
                                              {Kind::secret, "x"},
                                              {Kind::file, "x"},
                                              {Kind::name, "demo"},
                                              {Kind::task, "x"},
                                              {Kind::flag, "true"},
                                              {Kind::percent, "5%"},
                                              {Kind::names, "[x]"},
                                              {Kind::secrets, "[x]"},
                                              {Kind::count, "5"},
                                              {Kind::decimal, "5"},
                                              {Kind::dollars, "5"},
                                              {Kind::money, "5 USD"},
                                              {Kind::duration, "5s"},
                                              {Kind::size, "64KiB"},
                                              {Kind::address, "127.0.0.1:5"},
                                              {Kind::addresses, "127.0.0.1:5"},
                                              {Kind::url, "http://x/v1"}};
    const auto value = setting.kind == Kind::choice ? std::string{setting.choices.substr(0, setting.choices.find(' '))}
                                                    : samples.at(setting.kind);
    const auto problems = testing::bad(document_of(setting.path, value));
    EXPECT_THAT(problems, ::testing::Not(::testing::HasSubstr("unknown key"))) << setting.path;
    EXPECT_THAT(problems, ::testing::Not(::testing::HasSubstr("must be one"))) << setting.path;
    EXPECT_THAT(problems, ::testing::Not(::testing::HasSubstr("not supported"))) << setting.path;
  }
}

TEST(Document, paths_are_unique_and_sections_stand_together) {
  std::set<std::string_view> paths;
  std::set<std::string_view> closed;
  std::string_view section;
  for (const auto& setting : all_settings()) {
    EXPECT_TRUE(paths.insert(setting.path).second) << setting.path;
    EXPECT_FALSE(is_planned(setting.path)) << setting.path;
    const auto its = setting.path.find('.') == std::string_view::npos ? std::string_view{}
                                                                      : setting.path.substr(0, setting.path.find('.'));
    if (its.empty() || its == section) continue;
    EXPECT_TRUE(closed.insert(its).second) << its;
    section = its;
  }
}

TEST(Document, the_restart_rows_are_those_a_reload_compares) {
  auto other = good(
      "listen: 127.0.0.1:5\ntls: {cert: a, key: b}\nadmin: {listen: 127.0.0.1:6, token: t}\nthreads: 7\n"
      "limits: {body: 1MiB, head: 8KiB, connections: 10, in_flight: 20, head_time: 1s, body_time: 2s, idle: 3s}\n"
      "log: {to: off, level: debug}\n");
  std::vector<std::string> rows;
  for (const auto& setting : all_settings()) {
    if (setting.change == Change::restart && !setting.path.starts_with("stores.")) rows.emplace_back(setting.path);
  }
  EXPECT_THAT(restart_only_changes(Settings{}, other), ::testing::UnorderedElementsAreArray(rows));
}

TEST(Document, the_json_schema_is_json_and_knows_nested_settings) {
  const auto schema = nlohmann::json::parse(print_json_schema());
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["limits"]["properties"]["body"]["default"], "32MiB");
  EXPECT_TRUE(
      schema["properties"]["providers"]["additionalProperties"]["properties"]["timeouts"]["properties"].contains(
          "connect"));
  EXPECT_EQ(schema["properties"]["log"]["properties"]["level"]["enum"].size(), 4U);
}

}  // namespace
}  // namespace weir::settings
