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
#include "app/capacity.hpp"
#include "app/state_folder.hpp"
#include "app/upgrade/ask.hpp"
#include "app/upgrade/systemd.hpp"
#include "settings/load.hpp"
#include "telemetry/metrics_page.hpp"

namespace weir::app {
namespace {

constexpr std::chrono::seconds kWatchEvery{1};
constexpr std::chrono::milliseconds kDrainStep{20};
constexpr std::chrono::seconds kIdleCloseTime{1};  // as long as a connection may linger
constexpr std::chrono::seconds kAbortTime{2};
constexpr std::chrono::seconds kLedgerTime{10};  // a disk that is slow may still take the last calls

admin::ApiReply ledger_is_off() {
  return admin::api_error(404, "the ledger is off: stores.ledger says where calls are booked");
}

}  // namespace

Result<ExitCode> App::run() {
  if (auto built = build(); !built) {
    predecessor_.say_failed(built.error().message);
    return std::unexpected(built.error());
  }
  const log::Session messages(telemetry::level_of(blueprint_->settings.log.level), log::Format::text);
  for (auto& unit : units_) unit->start();
  for (auto& listener : listeners_) listener->start(blueprint_->settings.limits.connections);
  ready_ = true;
  say_banner();
  stamps_.watch(watched_files(source_, blueprint_->settings));
  wait_for_signal();
  predecessor_.say_ready([this] { take_ownership(); });
  control_.run();

  for (auto& unit : units_) unit->stop();
  if (!gone_) offload_->stop();
  telemetry_->stop();
  ledger_->stop(kLedgerTime);
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
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) signals_.add(number);
  auto catalogue = built_in_catalogue();
  auto settings = load_settings(source_, *catalogue, false);
  if (!settings) return std::unexpected(settings.error());
  const std::filesystem::path keys_file = settings->keys_file;
  auto keys = keys_.open(keys_file.empty() ? state_folder(source_) / "weir.keys" : keys_file, settings->keys);
  if (!keys) return std::unexpected(keys.error());
  auto blueprint = Blueprint::make(std::move(*settings), std::move(catalogue), keys_.changes(), nullptr);
  if (!blueprint) return std::unexpected(blueprint.error());
  blueprint_ = std::move(*blueprint);
  const settings::Settings& now = blueprint_->settings;

  const Capacity capacity = Capacity::of_process();
  const net::LimitSettings& limits = now.limits;
  places_.emplace(limits.in_flight != 0 ? limits.in_flight : capacity.calls());
  bodies_.emplace(limits.bodies_bytes != 0 ? limits.bodies_bytes : std::max(capacity.body_bytes(), limits.body_bytes));
  const std::size_t threads = now.threads != 0 ? now.threads : std::max(1U, std::thread::hardware_concurrency());
  auto telemetry =
      telemetry::Telemetry::open(now.log, now.metrics, threads, &connections_, now.traces, &places_->waiting());
  if (!telemetry) return std::unexpected(telemetry.error());
  telemetry_ = std::move(*telemetry);
  telemetry_->show_places(
      [this] { return target_places_.look(Clock::now(), blueprint_->settings.retry.budget_basis_points); });
  const accounting::LedgerSettings place = ledger_place(source_, now.ledger);
  auto ledger = accounting::Ledger::open(place, threads);
  if (!ledger) return std::unexpected(ledger.error());
  ledger_ = std::move(*ledger);
  desk_ = std::make_unique<LedgerDesk>(place);
  const accounting::LedgerCounters& booked = ledger_->counters();
  telemetry_->set_ledger({&booked.written, &booked.dropped, &booked.lost_at_last_start, &booked.waiting,
                          &booked.spooled, &booked.write_errors, &booked.rejected});
  offload_ = std::make_unique<net::Offload>(1);
  for (std::size_t i = 0; i < threads; ++i) {
    units_.push_back(std::make_unique<Unit>(i, *offload_, telemetry_->worker(i), ledger_->worker(i), limits,
                                            connections_, *places_, prompts_, *bodies_, target_places_));
    units_.back()->move_in(blueprint_);
  }
  if (auto opened = open_listeners(); !opened) return std::unexpected(opened.error());
  return open_admin();
}

Result<void> App::open_listeners() {
  std::vector<net::Listener::Dealt> dealt;
  for (auto& unit : units_) dealt.push_back({&unit->worker(), &unit->door()});
  const std::vector<net::ListenSettings>& wanted = blueprint_->settings.listen;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const int inherited = predecessor_.take_listener(wanted[i].host, wanted[i].port);
    auto listener = net::Listener::open(wanted[i], dealt, connections_, inherited);
    if (!listener) return std::unexpected(listener.error());
    (*listener)->set_tls(blueprint_->listener_tls[i]);
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

Result<void> App::open_admin() {
  admin::Sources sources;
  sources.metrics_text = [this] { return telemetry_->metrics_text(); };
  sources.not_ready_because = [this] {
    return ready_ ? std::string{} : std::string(draining_ ? "weir is draining and will end" : "weir is starting");
  };
  sources.find_calls = [this](std::string id, std::function<void(admin::ApiReply)> done) {
    find_calls(std::move(id), std::move(done));
  };
  sources.recent_calls = [this](std::function<void(admin::ApiReply)> done) {
    if (!desk_->open()) return done(ledger_is_off());
    desk_->recent_calls(std::move(done));
  };
  sources.report = [this](std::string query, std::function<void(admin::ApiReply)> done) {
    if (!desk_->open()) return done(ledger_is_off());
    desk_->report(std::move(query), blueprint_, std::move(done));
  };
  sources.list_keys = [this] { return KeyControl::list(blueprint_->keys); };
  sources.revoke_key = [this](const std::string& name) {
    auto done = keys_.revoke(name, blueprint_->keys);
    if (done.status == 200) use_keys();
    return done;
  };
  sources.rotate_key = [this](const std::string& name, std::chrono::milliseconds grace) {
    auto done = keys_.rotate(name, grace, blueprint_->keys);
    if (done.status == 200) use_keys();
    return done;
  };
  const admin::AdminSettings& settings = blueprint_->settings.admin;
  const int inherited = predecessor_.take_listener(settings.host, settings.port);
  auto opened = admin::Admin::open(control_, settings, std::move(sources), inherited);
  if (!opened) return std::unexpected(opened.error());
  admin_ = std::move(*opened);
  return {};
}

void App::find_calls(std::string id, std::function<void(admin::ApiReply)> done) {
  // Each worker is asked on its own thread; the last one to answer brings it all home. What has left the memory is
  // looked for in the ledger.
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
      boost::asio::post(control_, [this, gathered, id, done] {
        auto calls = gathered->calls.with([](auto& gathered_calls) { return std::move(gathered_calls); });
        if (calls.empty() && desk_->open()) return desk_->find_calls(id, done);
        done(admin::api_body(telemetry::Telemetry::calls_body(std::move(calls))));
      });
    });
  }
}

void App::say_banner() const {
  const std::string text = banner(blueprint_->settings, source_, units_.size());
  std::fwrite(text.data(), 1, text.size(), stderr);
  for (const std::string& warning : blueprint_->settings.warnings) log::warning("{}", warning);
  log::info("at most {} calls at once (limits.in_flight) and {} MiB of their bodies (limits.bodies)", places_->most(),
            bodies_->most() >> 20);
}

void App::watch_files() {
  watch_timer_.expires_after(kWatchEvery);
  watch_timer_.async_wait([this](boost::system::error_code error) {
    if (error || draining_) return;
    if (stamps_.changed()) reload("a watched file changed");
    watch_files();
  });
}

void App::move_in() {
  for (auto& unit : units_) {
    boost::asio::post(unit->worker().io(), [&unit = *unit, blueprint = blueprint_] { unit.move_in(blueprint); });
  }
}

void App::use_keys() {
  blueprint_ = blueprint_->with_keys(keys_.changes());
  move_in();
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
        "reload ({}) refused, the old settings stay: {} can only change with a restart; weir upgrade does that without "
        "losing a call",
        why, fmt::join(restart, ", "));
    return;
  }
  auto blueprint = Blueprint::make(std::move(*settings), blueprint_->catalogue, keys_.changes(), blueprint_.get());
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
  move_in();
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
    if (draining_) return;
    tell_systemd(reloading_state());
    reload("SIGHUP");
    tell_systemd("READY=1");
    return;
  }
  if (number == SIGUSR2) return begin_upgrade();
  if (!draining_) return begin_drain();
  if (close_idle("a signal came")) return;
  log::warning("a second signal: ending at once");
  finish(ExitCode::cut);
}

void App::begin_drain() {
  if (successor_.starting()) {
    log::warning("the upgrade is given up: a signal ends this weir");
    successor_.abandon();
    answer_upgrade(false, "the upgrade was given up: a signal ended this weir");
  }
  tell_systemd("STOPPING=1");
  draining_ = true;
  ready_ = false;
  for (auto& listener : listeners_) listener->stop();
  drain_doors(net::Door::Drain::at_once);
  drain_until_done();
}

void App::drain_doors(net::Door::Drain how) {
  for (auto& unit : units_) {
    boost::asio::post(unit->worker().io(), [&unit = *unit, how] { unit.door().drain(how); });
  }
}

void App::drain_until_done() {
  log::info("draining: {} connections have up to {} s to finish", connections_.load(),
            std::chrono::duration_cast<std::chrono::seconds>(blueprint_->settings.drain).count());
  drain_until_ = std::max(std::chrono::steady_clock::now() + blueprint_->settings.drain, drain_not_before_);
  drain_step();
}

void App::drain_step() {
  drain_timer_.expires_after(kDrainStep);
  drain_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    const auto now = std::chrono::steady_clock::now();
    const bool accepting = std::ranges::any_of(listeners_, [](const auto& one) { return one->accepting(); });
    if (connections_ == 0 && !accepting && now >= drain_not_before_) {
      control_.stop();
    } else if (now >= drain_until_ && !aborted_ && close_idle("drain is over")) {
      drain_until_ = now + kIdleCloseTime;
      drain_step();
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
