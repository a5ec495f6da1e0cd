#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::app {

struct AdminQuestion {
  std::string method = "GET";
  std::string path;
  std::string token;  ///< secret: admin.token
  std::string body;   ///< JSON; empty = none
  std::chrono::seconds step_time{30};
};

struct AdminReply {
  unsigned status = 0;
  std::string status_line;
  std::string body;
};

/// Asks a running weir's admin port (`http://host:port`), for commands. Blocks, at most `step_time` per step; the error
/// names the address and what came instead of an answer.
Result<AdminReply> ask_admin(std::string_view admin_url, const AdminQuestion& question);

/// GET /healthz, for health checks of images that carry no other client; the error says what came instead of a 200.
Result<void> ask_health(std::string_view admin_url);

}  // namespace weir::app
