#pragma once
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <weir/base/result.hpp>
#include "admin/admin.hpp"
#include "app/blueprint.hpp"
#include "app/load.hpp"
#include "app/unit.hpp"
#include "net/listener.hpp"
#include "net/offload.hpp"
#include "telemetry/telemetry.hpp"

namespace weir::app {

/// The exit codes of `weir serve`, also in docs/operations.md.
enum class ExitCode : int { ok = 0, failed = 1, usage = 2, cut = 3 };

/// The daemon: everything is built here, in order, and stopped in the reverse; no singletons.
/// Thread: the main thread's; it runs the control plane (admin port, signals, reload), the workers carry the calls.
class App {
 public:
  explicit App(Source source) : source_(std::move(source)) {}

  /// Serves until a signal ends it; the error says what to change.
  Result<ExitCode> run();

 private:
  Result<void> build();
  Result<void> open_admin();
  void say_banner() const;
  void reload(const char* why);
  void watch_files();
  void wait_for_signal();
  void on_signal(int number);
  void begin_drain();
  void drain_step();
  void finish(ExitCode code);
  void find_calls(std::string id, std::function<void(std::string)> done);

  Source source_;
  std::shared_ptr<const Blueprint> blueprint_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> calls_{0};  ///< in flight, where limits.in_flight asks for it
  std::atomic<bool> ready_{false};
  targets::Places target_places_;  ///< what is known of each place; outlives workers and reloads

  boost::asio::io_context control_{1};
  std::unique_ptr<net::Offload> offload_;
  std::unique_ptr<telemetry::Telemetry> telemetry_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<admin::Admin> admin_;
  boost::asio::signal_set signals_{control_};
  boost::asio::steady_timer watch_timer_{control_};
  boost::asio::steady_timer drain_timer_{control_};
  FileStamps stamps_;
  std::chrono::steady_clock::time_point drain_until_{};
  bool draining_ = false;
  bool aborted_ = false;
  bool gone_ = false;  ///< calls are left that nothing ends
  ExitCode code_ = ExitCode::ok;
};

}  // namespace weir::app
