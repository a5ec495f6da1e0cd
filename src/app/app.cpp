#include "app/app.hpp"

#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/asio/post.hpp>

#include <weir/base/guarded.hpp>
#include <weir/base/log.hpp>
#include "app/banner.hpp"
#include "settings/load.hpp"

namespace weir::app {
namespace {

constexpr std::chrono::seconds kWatchEvery{1};
constexpr std::chrono::milliseconds kDrainStep{20};
constexpr std::chrono::seconds kAbortTime{2};

std::vector<std::filesystem::path> watched_files(const Source& source, const settings::Settings& settings) {
  std::vector<std::filesystem::path> files;
  if (!source.file.empty()) files.push_back(source.file);
  for (const net::ListenSettings& listen : settings.listen) {
    if (listen.certificate_file.empty()) continue;
    files.emplace_back(listen.certificate_file);
    files.emplace_back(listen.key_file);
  }
  for (const providers::ProviderSettings& provider : settings.providers) {
    if (!provider.ca_file.empty()) files.emplace_back(provider.ca_file);
  }
  return files;
}

}  // namespace

Result<ExitCode> App::run() {
  if (auto built = build(); !built) return std::unexpected(built.error());
  const log::Session messages(telemetry::level_of(blueprint_->settings.log.level), log::Format::text);
  for (auto& unit : units_) unit->start();
  for (auto& listener : listeners_) listener->start(blueprint_->settings.limits.connections);
  ready_ = true;
  say_banner();
  stamps_.watch(watched_files(source_, blueprint_->settings));
  watch_files();
  wait_for_signal();
  control_.run();

  for (auto& unit : units_) unit->stop();
  if (!gone_) offload_->stop();
  telemetry_->stop();
  log::info("weir ended{}", code_ == ExitCode::cut ? "; some calls were cut off, raise drain: to let them finish" : "");
  if (gone_) {
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(code_));  // what is still under way must not be torn down in the middle
  }
  admin_.reset();
  listeners_.clear();
  return code_;
}

Result<void> App::build() {
  std::signal(SIGPIPE, SIG_IGN);  // a client that left is an error of its write
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  auto catalogue = built_in_catalogue();
  auto settings = load_settings(source_, *catalogue, false);
  if (!settings) return std::unexpected(settings.error());
  auto blueprint = Blueprint::make(std::move(*settings), std::move(catalogue), nullptr);
  if (!blueprint) return std::unexpected(blueprint.error());
  blueprint_ = std::move(*blueprint);
  const settings::Settings& now = blueprint_->settings;

  const std::size_t threads = now.threads != 0 ? now.threads : std::max(1U, std::thread::hardware_concurrency());
  auto telemetry = telemetry::Telemetry::open(now.log, threads, &connections_);
  if (!telemetry) return std::unexpected(telemetry.error());
  telemetry_ = std::move(*telemetry);
  telemetry_->show_places(
      [this] { return target_places_.look(Clock::now(), blueprint_->settings.retry.budget_basis_points); });
  offload_ = std::make_unique<net::Offload>(1);
  for (std::size_t i = 0; i < threads; ++i) {
    units_.push_back(
        std::make_unique<Unit>(i, *offload_, telemetry_->worker(i), now.limits, connections_, calls_, target_places_));
    units_.back()->move_in(blueprint_);
  }
  std::vector<net::Listener::Dealt> dealt;
  for (auto& unit : units_) dealt.push_back({&unit->worker(), &unit->door()});
  for (std::size_t i = 0; i < now.listen.size(); ++i) {
    auto listener = net::Listener::open(now.listen[i], dealt, connections_);
    if (!listener) return std::unexpected(listener.error());
    (*listener)->set_tls(blueprint_->listener_tls[i]);
    listeners_.push_back(std::move(*listener));
  }
  return open_admin();
}

Result<void> App::open_admin() {
  admin::Sources sources;
  sources.metrics_text = [this] { return telemetry_->metrics_text(); };
  sources.not_ready_because = [this] {
    return ready_ ? std::string{} : std::string(draining_ ? "weir is draining and will end" : "weir is starting");
  };
  sources.find_calls = [this](std::string id, std::function<void(std::string)> done) {
    find_calls(std::move(id), std::move(done));
  };
  auto opened = admin::Admin::open(control_, blueprint_->settings.admin, std::move(sources));
  if (!opened) return std::unexpected(opened.error());
  admin_ = std::move(*opened);
  return {};
}

void App::find_calls(std::string id, std::function<void(std::string)> done) {
  // Each worker is asked on its own thread; the last one to answer brings it all home.
  struct Gathered {
    Guarded<std::vector<std::string>> calls;
    std::atomic<std::size_t> missing;
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->missing = units_.size();
  for (auto& unit : units_) {
    boost::asio::post(unit->worker().io(), [this, &telemetry = unit->telemetry(), gathered, id, done] {
      std::vector<std::string> found = telemetry.find_calls(id);
      gathered->calls.with([&](auto& calls) { std::ranges::move(found, std::back_inserter(calls)); });
      if (gathered->missing.fetch_sub(1) != 1) return;
      boost::asio::post(control_, [gathered, done] {
        done(telemetry::Telemetry::calls_body(gathered->calls.with([](auto& calls) { return std::move(calls); })));
      });
    });
  }
}

void App::say_banner() const {
  const std::string text = banner(blueprint_->settings, source_, units_.size());
  std::fwrite(text.data(), 1, text.size(), stderr);
  for (const std::string& warning : blueprint_->settings.warnings) log::warning("{}", warning);
}

void App::watch_files() {
  watch_timer_.expires_after(kWatchEvery);
  watch_timer_.async_wait([this](boost::system::error_code error) {
    if (error || draining_) return;
    if (stamps_.changed()) reload("a watched file changed");
    watch_files();
  });
}

void App::reload(const char* why) {
  auto settings = load_settings(source_, *blueprint_->catalogue, false);
  if (!settings) {
    log::error("reload ({}) refused, the old settings stay:\n{}", why, settings.error().message);
    return;
  }
  const std::vector<std::string> restart = settings::restart_only_changes(blueprint_->settings, *settings);
  if (!restart.empty()) {
    log::error(
        "reload ({}) refused, the old settings stay: {} can only change with a restart (weir upgrade, which "
        "changes it without one, is not supported yet)",
        why, fmt::join(restart, ", "));
    return;
  }
  auto blueprint = Blueprint::make(std::move(*settings), blueprint_->catalogue, blueprint_.get());
  if (!blueprint) {
    log::error("reload ({}) refused, the old settings stay: {}", why, blueprint.error().message);
    return;
  }
  if (auto reopened = telemetry_->reopen_log((*blueprint)->settings.log.to); !reopened) {
    log::error("reload ({}) refused, the old settings stay: {}", why, reopened.error().message);
    return;
  }
  blueprint_ = std::move(*blueprint);
  const settings::Settings& now = blueprint_->settings;
  log::set_level(telemetry::level_of(now.log.level));
  for (auto& unit : units_) {
    boost::asio::post(unit->worker().io(), [&unit = *unit, blueprint = blueprint_] { unit.move_in(blueprint); });
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i]->set_tls(blueprint_->listener_tls[i]);
    listeners_[i]->set_connections_max(now.limits.connections);
  }
  stamps_.watch(watched_files(source_, now));
  for (const std::string& warning : now.warnings) log::warning("{}", warning);
  log::info("reloaded ({})", why);
}

void App::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    wait_for_signal();
    on_signal(number);
  });
}

void App::on_signal(int number) {
  if (number == SIGHUP) {
    if (!draining_) reload("SIGHUP");
    return;
  }
  if (!draining_) {
    begin_drain();
    return;
  }
  log::warning("a second signal: ending at once");
  finish(ExitCode::cut);
}

void App::begin_drain() {
  draining_ = true;
  ready_ = false;
  log::info("draining: {} connections have up to {} s to finish", connections_.load(),
            std::chrono::duration_cast<std::chrono::seconds>(blueprint_->settings.drain).count());
  for (auto& listener : listeners_) listener->stop();
  for (auto& unit : units_) {
    boost::asio::post(unit->worker().io(), [&unit = *unit] { unit.door().drain(); });
  }
  drain_until_ = std::chrono::steady_clock::now() + blueprint_->settings.drain;
  drain_step();
}

void App::drain_step() {
  drain_timer_.expires_after(kDrainStep);
  drain_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = std::chrono::steady_clock::now();
    if (connections_ == 0) {
      control_.stop();
    } else if (now >= drain_until_ && !aborted_) {
      finish(ExitCode::cut);
      drain_step();
    } else if (now >= drain_until_) {
      gone_ = true;  // a session that does not end even when broken off
      control_.stop();
    } else {
      drain_step();
    }
  });
}

void App::finish(ExitCode code) {
  if (aborted_) return;
  aborted_ = true;
  code_ = code;
  for (auto& unit : units_) {
    boost::asio::post(unit->worker().io(), [&unit = *unit] { unit.door().abort(); });
  }
  drain_until_ = std::chrono::steady_clock::now() + kAbortTime;
}

}  // namespace weir::app
