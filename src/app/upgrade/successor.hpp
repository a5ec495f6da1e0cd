#pragma once
#include <sys/types.h>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <weir/base/result.hpp>
#include "app/upgrade/legacy.hpp"

namespace weir::app {

/// How this process was started: the next one is started the same way.
struct Program {
  std::string path;
  std::vector<std::string> arguments;

  /// Read at the start of the process: the path is then that of a file which later may be another one.
  static Program of_process();
};

/// The old process's side of a hot restart: starts the next process and hears what becomes of it.
/// Thread: the control plane's.
class Successor {
 public:
  /// From its start to its word. A start reads files and opens listeners: it takes a fraction of a second.
  static constexpr std::chrono::seconds kReadyTime{15};

  Successor(boost::asio::io_context& control, Program program);

  using Done = std::function<void(Result<void>)>;
  /// Starts it with these listeners; every other descriptor of ours is closed in it. `done` once: when it is ready, or
  /// when it is gone, with why.
  void start(const std::vector<Legacy::Listener>& listeners, Done done);
  bool starting() const { return static_cast<bool>(done_); }
  /// Ends one that is not ready yet; `done` is not called.
  void abandon();
  /// Tells a ready one that it owns what one process may own.
  void give_ownership();
  pid_t pid() const { return pid_; }

 private:
  Result<void> spawn(const std::vector<Legacy::Listener>& listeners);
  void read();
  void fail(std::string why);
  void fail_when_gone(int looks);

  boost::asio::local::stream_protocol::socket channel_;
  boost::asio::steady_timer timer_;
  Program program_;
  Messages messages_;
  std::array<char, 4096> buffer_{};
  Done done_;
  std::string why_;  ///< it failed, in its own words
  pid_t pid_ = 0;
};

}  // namespace weir::app
