#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <weir/base/guarded.hpp>
#include <weir/base/result.hpp>
#include "net/asio_types.hpp"
#include "net/server_session.hpp"
#include "net/settings.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

namespace weir::net {

/// One listening address, one acceptor on the first worker, connections dealt out evenly in turn (with SO_REUSEPORT the
/// busier of two threads had 66 % of the connections).
///
/// Thread: made and started by the app; run on the first worker; set_tls() and stop() from any thread.
class Listener {
 public:
  struct Dealt {
    Worker* worker;
    Door* door;
  };

  /// The error names the address, who holds the port, and the setting to change. `inherited`: a listening socket of the
  /// process before this one, or kNotInherited.
  static Result<std::unique_ptr<Listener>> open(const ListenSettings& settings, std::vector<Dealt> dealt,
                                                std::atomic<std::size_t>& connections, int inherited);

  void start(std::size_t connections_max);
  void set_tls(std::shared_ptr<TlsContext> tls);
  void set_connections_max(std::size_t most) { connections_max_.store(most, std::memory_order_relaxed); }
  /// Stops accepting; a process that has inherited the listener goes on with its queue.
  void stop();
  /// False once stop() took effect: every connection that was accepted has been counted and dealt.
  bool accepting() const { return accepting_; }
  std::uint16_t port() const { return port_; }
  int descriptor() const { return descriptor_; }  ///< to be inherited; valid until stop()
  const ListenSettings& settings() const { return settings_; }

 private:
  Listener(const ListenSettings& settings, std::vector<Dealt> dealt, std::atomic<std::size_t>& connections);
  awaitable<void> accept();
  awaitable<void> accept_until_stopped();

  ListenSettings settings_;
  std::vector<Dealt> dealt_;
  std::atomic<std::size_t>& connections_;
  std::atomic<std::size_t> connections_max_{0};
  Acceptor acceptor_;
  Guarded<std::shared_ptr<TlsContext>> tls_;
  std::atomic<bool> accepting_{false};
  std::uint16_t port_ = 0;
  int descriptor_ = -1;
  std::size_t next_ = 0;
};

}  // namespace weir::net
