#include "app/commands.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/admin_client.hpp"
#include "app/app.hpp"
#include "app/keys_command.hpp"
#include "app/load.hpp"
#include "app/report_command.hpp"
#include "app/upgrade/ask.hpp"
#include "settings/document.hpp"

namespace weir::app {
namespace {

void say(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  if (!text.ends_with('\n')) std::fputc('\n', to);
}

int fail(ExitCode code, std::string_view message) {
  say(stderr, message);
  return static_cast<int>(code);
}

int serve(const Source& source) {
  App app(source);
  const Result<ExitCode> ended = app.run();
  if (!ended) return fail(ExitCode::failed, fmt::format("weir cannot start:\n{}", ended.error().message));
  return static_cast<int>(*ended);
}

int check(const Source& source, bool strict) {
  const auto catalogue = built_in_catalogue();
  auto settings = load_settings(source, *catalogue, strict);
  if (!settings) return fail(ExitCode::failed, settings.error().message);
  for (const std::string& warning : settings->warnings) say(stdout, "warning: " + warning);
  const auto blueprint = Blueprint::make(std::move(*settings), catalogue, {}, nullptr);
  if (!blueprint) return fail(ExitCode::failed, blueprint.error().message);
  say(stdout, fmt::format("{}: good", source.file.empty() ? "the environment" : source.file.string()));
  return static_cast<int>(ExitCode::ok);
}

int upgrade(int pid, const std::string& admin_url) {
  const Result<pid_t> asked = pid != 0 ? Result<pid_t>(pid) : find_serving(admin_url);
  if (!asked) return fail(ExitCode::failed, asked.error().message);
  const Result<std::string> done = ask_for_upgrade(*asked);
  if (!done) return fail(ExitCode::failed, fmt::format("not upgraded: {}", done.error().message));
  say(stdout, "upgraded: " + *done);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

int run_command(int argc, const char* const* argv) {
  CLI::App cli{"weir: an LLM gateway that forwards, streams and meters every call"};
  cli.require_subcommand(1);
  Source source;
  bool strict = false;
  bool markdown = false;

  CLI::App* serving = cli.add_subcommand("serve", "run the gateway");
  serving->add_option("--config", source.file,
                      "settings file (YAML); without one, providers come from the environment");
  serving->add_option("--profile", source.profile, "overlay under profiles: in the settings file");
  CLI::App* checking = cli.add_subcommand("check", "check a settings file and say what to change");
  checking->add_option("file", source.file, "settings file; without one, the environment is checked");
  checking->add_option("--profile", source.profile, "overlay under profiles: in the settings file");
  checking->add_flag("--strict", strict, "a provider whose variable is not set is an error");
  CLI::App* schema = cli.add_subcommand("schema", "print the settings as a JSON Schema, for editors");
  schema->add_flag("--markdown", markdown, "print docs/settings.md instead");
  std::string admin_url = "http://127.0.0.1:9090";
  CLI::App* health = cli.add_subcommand("health", "ask a running weir whether it lives; exits 0 or 1");
  health->add_option("--admin", admin_url, "its admin address")->capture_default_str();
  KeysCommand keys(cli);
  ReportCommand reporting(cli);
  int pid = 0;
  CLI::App* upgrading =
      cli.add_subcommand("upgrade", "let a new process take over from a running weir, without losing a call");
  upgrading->add_option("--pid", pid, "the running weir; without it, who listens at --admin")
      ->check(CLI::PositiveNumber);
  upgrading->add_option("--admin", admin_url, "its admin address")->capture_default_str();
  cli.add_subcommand("version", "print the version");
  static constexpr std::array<std::string_view, 3> kLater{"replay", "train", "batch"};
  for (const std::string_view name : kLater) {
    cli.add_subcommand(std::string(name), "not supported yet, see docs/roadmap.md")->allow_extras();
  }

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? static_cast<int>(ExitCode::ok) : static_cast<int>(ExitCode::usage);
  }
  const std::string command = cli.get_subcommands().front()->get_name();
  if (command == "serve") return serve(source);
  if (command == "check") return check(source, strict);
  if (command == "schema") {
    say(stdout, markdown ? settings::print_markdown() : settings::print_json_schema());
    return static_cast<int>(ExitCode::ok);
  }
  if (command == "keys") return keys.run();
  if (command == "health") {
    const auto asked = ask_health(admin_url);
    return asked ? static_cast<int>(ExitCode::ok) : fail(ExitCode::failed, asked.error().message);
  }
  if (command == "report") return reporting.report();
  if (command == "explain") return reporting.explain();
  if (command == "upgrade") return upgrade(pid, admin_url);
  if (command == "version") {
    say(stdout, "weir " WEIR_VERSION);
    return static_cast<int>(ExitCode::ok);
  }
  return fail(ExitCode::usage, fmt::format("weir {} is not supported yet (docs/roadmap.md)", command));
}

}  // namespace weir::app
