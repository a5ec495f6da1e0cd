#include "app/keys_command.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "admission/key_text.hpp"
#include "app/admin_client.hpp"
#include "app/app.hpp"
#include "app/key_control.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::json;

int say(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return static_cast<int>(ExitCode::ok);
}

int complain(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
  return static_cast<int>(ExitCode::failed);
}

std::string date_of(const Json& unix_ms) {
  if (!unix_ms.is_number()) return "never";
  const std::time_t seconds = unix_ms.get<std::int64_t>() / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                     utc.tm_min);
}

std::string joined(const Json& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name.get<std::string>();
  return text.empty() ? "all" : text;
}

}  // namespace

struct KeysCommand::Options {
  CLI::App* make = nullptr;
  CLI::App* list = nullptr;
  CLI::App* revoke = nullptr;
  CLI::App* rotate = nullptr;
  std::string name;
  std::string group;
  std::string admin_url = "http://127.0.0.1:9090";
  std::int64_t grace_hours = 24;

  Result<Json> ask(const std::string& method, const std::string& path, const std::string& body = "") const {
    AdminQuestion question;
    question.method = method;
    question.path = path;
    question.body = body;
    if (const char* token = std::getenv("WEIR_ADMIN_TOKEN")) question.token = token;
    auto reply = ask_admin(admin_url, question);
    if (!reply) return std::unexpected(reply.error());
    Json json = Json::parse(reply->body, nullptr, false);
    if (reply->status == 200 && json.is_object()) return json;
    std::string message = reply->status_line;
    if (json.is_object() && json.contains("error")) message = json["error"].value("message", message);
    if (reply->status == 401) message += "; set WEIR_ADMIN_TOKEN";
    return failure(std::move(message));
  }
};

KeysCommand::KeysCommand(CLI::App& cli) : options_(std::make_unique<Options>()) {
  CLI::App* keys = cli.add_subcommand("keys", "make, list, revoke and rotate the keys of clients");
  keys->require_subcommand(1);
  Options& o = *options_;
  o.make = keys->add_subcommand("new", "print a new key, once, and the line to paste under keys:");
  o.make->add_option("name", o.name, "what it is called in metrics, ledger and log")->required();
  o.make->add_option("--group", o.group, "a name under groups:");
  o.list = keys->add_subcommand("list", "the keys of a running weir");
  o.revoke = keys->add_subcommand("revoke", "end a key now; calls that run finish");
  o.rotate = keys->add_subcommand("rotate", "print a new key with the same rights; the old one goes on for a while");
  o.rotate->add_option("--grace-hours", o.grace_hours, "how long the old one still works")
      ->check(CLI::Range(0, 720))
      ->capture_default_str();
  for (CLI::App* verb : {o.revoke, o.rotate}) verb->add_option("name", o.name, "the key's name")->required();
  for (CLI::App* verb : {o.list, o.revoke, o.rotate}) {
    verb->add_option("--admin", o.admin_url, "the running weir's admin address; its token from WEIR_ADMIN_TOKEN")
        ->capture_default_str();
  }
}

KeysCommand::~KeysCommand() = default;

int KeysCommand::run() {
  const Options& o = *options_;
  if (o.make->parsed()) {
    const auto made = admission::make_key(o.name, o.group);
    if (!made) return complain(made.error().message);
    return say(
        fmt::format("{}\n\nThis is the only time that it is shown. Give it to the client, and paste this line under "
                    "keys: in the settings\n(a running weir reads a changed file by itself):\n\n  {}\n",
                    made->text, settings_line(made->settings)));
  }
  if (o.list->parsed()) {
    const auto reply = o.ask("GET", "/api/keys");
    if (!reply) return complain(reply.error().message);
    std::string text =
        fmt::format("{:<24} {:<16} {:<8} {:<18} {:<10} {}\n", "NAME", "GROUP", "STATE", "ENDS", "HASH", "MODELS");
    for (const auto& key : (*reply)["keys"]) {
      text +=
          fmt::format("{:<24} {:<16} {:<8} {:<18} {:<10} {}\n", key["name"].get<std::string>(),
                      key["group"].is_string() ? key["group"].get<std::string>() : "-", key["state"].get<std::string>(),
                      date_of(key["ends_unix_ms"]), key["hash_begins"].get<std::string>(), joined(key["models"]));
    }
    return say(text);
  }
  if (o.revoke->parsed()) {
    const auto reply = o.ask("POST", "/api/keys/" + o.name + "/revoke");
    if (!reply) return complain(reply.error().message);
    return say(fmt::format(
        "key {} has ended: further calls with it get 401. Take its line out of keys: when you like.\n", o.name));
  }
  const auto reply =
      o.ask("POST", "/api/keys/" + o.name + "/rotate", fmt::format(R"({{"grace_seconds":{}}})", o.grace_hours * 3600));
  if (!reply) return complain(reply.error().message);
  return say(
      fmt::format("{}\n\nThis is the only time that it is shown. It works from now on; the old key ends in {} h. Put "
                  "this line in the place of the old one then:\n\n  {}\n",
                  (*reply)["key"].get<std::string>(), o.grace_hours, (*reply)["line"].get<std::string>()));
}

}  // namespace weir::app
