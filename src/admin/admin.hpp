#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include "admin/settings.hpp"
#include "net/control_server.hpp"

namespace weir::admin {

/// Where the admin's answers come from. All are called on the control thread.
struct Sources {
  std::function<std::string()> metrics_text;
  /// Empty = ready; else why not, in a sentence.
  std::function<std::string()> not_ready_because;
  /// Gives {"calls":[…]} (RULINGS 20), from any thread, at once or later.
  std::function<void(std::string id, std::function<void(std::string body)> done)> find_calls;
};

/// The operators' endpoints. `/metrics /healthz /readyz` are open to who can reach the listener and hold neither secret
/// nor text of a call; `/api/*` asks for admin.token, and refuses what a web page of another origin could send.
///
/// Thread: the one that runs the control plane.
class Endpoints {
 public:
  Endpoints(AdminSettings settings, Sources sources);

  void handle(const net::ControlRequest& request, net::ControlServer::Done done) const;

 private:
  void api(const net::ControlRequest& request, std::string_view path, net::ControlServer::Done done) const;

  AdminSettings settings_;
  Sources sources_;
};

/// The endpoints on their listener.
class Admin {
 public:
  /// The error names `admin.listen`. `io` outlives the Admin. `inherited`: as of ControlServer.
  static Result<std::unique_ptr<Admin>> open(boost::asio::io_context& io, const AdminSettings& settings,
                                             Sources sources, int inherited = -1);

  std::uint16_t port() const { return server_->port(); }
  int descriptor() const { return server_->descriptor(); }
  void stop_accepting() { server_->stop_accepting(); }
  void stop() { server_->stop(); }

 private:
  Admin() = default;

  std::unique_ptr<const Endpoints> endpoints_;
  std::unique_ptr<net::ControlServer> server_;
};

}  // namespace weir::admin
