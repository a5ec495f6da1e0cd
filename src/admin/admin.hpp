#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include "admin/settings.hpp"
#include "net/control_server.hpp"

namespace weir::admin {

using ApiReply = net::ControlReply;
ApiReply api_error(unsigned status, std::string_view message);  ///< {"error":{"message":…}}
ApiReply api_body(std::string json);

/// Where the admin's answers come from. All are called on the control thread.
struct Sources {
  std::function<std::string()> metrics_text;
  /// Empty = ready; else why not, in a sentence.
  std::function<std::string()> not_ready_because;
  /// Gives {"calls":[…]} (RULINGS 20), from any thread, at once or later.
  std::function<void(std::string id, std::function<void(ApiReply)> done)> find_calls;
  /// The last calls, newest first, in the same form.
  std::function<void(std::function<void(ApiReply)> done)> recent_calls;
  /// `query` as sent, without the question mark; from any thread, at once or later.
  std::function<void(std::string query, std::function<void(ApiReply)> done)> report;
  std::function<ApiReply()> list_keys;
  std::function<ApiReply(const std::string& name)> revoke_key;
  std::function<ApiReply(const std::string& name, std::chrono::milliseconds grace)> rotate_key;
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
  /// What must hold for all of /api; the refusal, or nothing.
  std::optional<net::ControlReply> refuse(const net::ControlRequest& request) const;
  void api(const net::ControlRequest& request, std::string_view path, net::ControlServer::Done done) const;
  void keys(const net::ControlRequest& request, std::string_view path, net::ControlServer::Done done) const;

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
