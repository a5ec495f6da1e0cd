// How the app passes on to the next process and takes over from the one before (docs/decisions/0006-hot-restart.md).
#include <unistd.h>

#include <ranges>

#include <fmt/format.h>

#include <weir/base/log.hpp>
#include "app/app.hpp"
#include "app/upgrade/ask.hpp"
#include "app/upgrade/systemd.hpp"

namespace weir::app {
namespace {

// What was accepted at the admin port in the moment of the change is answered by the old process.
constexpr std::chrono::seconds kAdminGrace{1};

}  // namespace

void App::take_over() {
  watch_files();
}

void App::give_up() {
  watch_timer_.cancel();
}

void App::take_ownership() {
  if (predecessor_.there()) log::info("took over from the weir before this one");
  for (Handover* one : owned_) one->take_over();
  tell_systemd("READY=1");
}

void App::begin_upgrade() {
  std::string refused;
  if (successor_.starting()) {
    return log::warning("upgrade refused: one is under way (pid {})", successor_.pid());
  } else if (handed_over_) {
    refused = fmt::format("this weir has handed over and drains; upgrade pid {}", successor_.pid());
  } else if (draining_) {
    refused = "this weir is draining and will end";
  } else if (getpid() == 1) {
    refused = "this weir is PID 1, with which its container ends: roll the container; SIGTERM drains";
  }
  if (!refused.empty()) {
    log::error("upgrade refused: {}", refused);
    return answer_upgrade(false, refused);
  }
  std::vector<Legacy::Listener> listeners;
  for (const auto& one : listeners_) {
    listeners.push_back({address_text(one->settings().host, one->settings().port), one->descriptor()});
  }
  const admin::AdminSettings& admin = blueprint_->settings.admin;
  listeners.push_back({address_text(admin.host, admin.port), admin_->descriptor()});
  log::info("upgrade: starting the next weir");
  tell_systemd(reloading_state());
  successor_.start(listeners, [this](Result<void> started) {
    if (started) return hand_over();
    log::error("upgrade failed, this weir goes on serving: {}", started.error().message);
    tell_systemd("READY=1");
    answer_upgrade(false, started.error().message);
  });
}

void App::hand_over() {
  log::info("upgrade: pid {} is ready and takes over", successor_.pid());
  handed_over_ = true;
  draining_ = true;
  ready_ = false;
  for (auto& listener : listeners_) listener->stop();
  admin_->stop_accepting();
  for (Handover* one : std::views::reverse(owned_)) one->give_up();
  // First systemd: the next process may only speak to it as the main one.
  tell_systemd(fmt::format("MAINPID={}", successor_.pid()));
  successor_.give_ownership();
  drain_doors(net::Door::Drain::patient);
  answer_upgrade(true, fmt::format("pid {} serves; pid {} ends when its calls have", successor_.pid(), getpid()));
  drain_not_before_ = std::chrono::steady_clock::now() + kAdminGrace;
  drain_until_done();
}

/// Ends the patience of a drain after a hand-over; false where it had none (left).
bool App::close_idle(const char* why) {
  if (!handed_over_ || closed_idle_) return false;
  closed_idle_ = true;
  log::info("{}: idle connections are closed", why);
  drain_doors(net::Door::Drain::at_once);
  return true;
}

}  // namespace weir::app
