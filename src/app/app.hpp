#pragma once
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <weir/base/result.hpp>
#include <weir/exchange/handover.hpp>
#include "accounting/ledger.hpp"
#include "admin/admin.hpp"
#include "api/places.hpp"
#include "app/blueprint.hpp"
#include "app/key_control.hpp"
#include "app/ledger_desk.hpp"
#include "app/load.hpp"
#include "app/unit.hpp"
#include "app/upgrade/predecessor.hpp"
#include "app/upgrade/successor.hpp"
#include "net/listener.hpp"
#include "net/offload.hpp"
#include "telemetry/telemetry.hpp"

namespace weir::app {

/// The exit codes of `weir serve`, also in docs/operations.md.
enum class ExitCode : int { ok = 0, failed = 1, usage = 2, cut = 3 };

/// The daemon: everything is built here, in order, and stopped in the reverse; no singletons.
/// Thread: the main thread's; it runs the control plane (admin port, signals, reload), the workers carry the calls.
class App final : private Handover {
 public:
  explicit App(Source source) : source_(std::move(source)), owned_{this} {}

  /// Serves until a signal ends it; the error says what to change.
  Result<ExitCode> run();

 private:
  Result<void> build();
  Result<void> open_listeners();
  Result<void> open_admin();
  void use_keys();
  void move_in();
  void say_banner() const;
  void reload(const char* why);
  void watch_files();
  void wait_for_signal();
  void on_signal(int number);
  void begin_drain();
  void drain_until_done();
  void drain_step();
  void drain_doors(net::Door::Drain how);
  void finish(ExitCode code);
  // upgrade.cpp: hot restart.
  void take_over() override;
  void give_up() override;
  void take_ownership();
  void begin_upgrade();
  void hand_over();
  bool close_idle(const char* why);
  void find_calls(std::string id, std::function<void(admin::ApiReply)> done);

  Source source_;
  std::shared_ptr<const Blueprint> blueprint_;
  KeyControl keys_;
  std::atomic<std::size_t> connections_{0};
  std::optional<api::Places> places_;
  api::RecentPrompts prompts_;
  std::optional<net::BodyBudget> bodies_;
  std::atomic<bool> ready_{false};
  targets::Places target_places_;  ///< what is known of each place; outlives workers and reloads

  boost::asio::io_context control_{1};
  Predecessor predecessor_{control_};
  Successor successor_{control_, Program::of_process()};
  std::unique_ptr<net::Offload> offload_;
  std::unique_ptr<telemetry::Telemetry> telemetry_;
  std::unique_ptr<accounting::Ledger> ledger_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<admin::Admin> admin_;
  std::unique_ptr<LedgerDesk> desk_;
  boost::asio::signal_set signals_{control_};
  boost::asio::steady_timer watch_timer_{control_};
  boost::asio::steady_timer drain_timer_{control_};
  FileStamps stamps_;
  std::vector<Handover*> owned_;  ///< what only one process may own; taken in this order, given up in the reverse
  std::chrono::steady_clock::time_point drain_until_{};
  std::chrono::steady_clock::time_point drain_not_before_{};
  bool handed_over_ = false;  ///< the next process takes what is new
  bool closed_idle_ = false;  ///< after that, its idle connections too
  bool draining_ = false;
  bool aborted_ = false;
  bool gone_ = false;  ///< calls are left that nothing ends
  ExitCode code_ = ExitCode::ok;
};

}  // namespace weir::app
