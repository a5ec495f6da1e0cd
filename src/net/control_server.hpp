#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include <weir/base/result.hpp>

namespace weir::net {

/// An operator's request, whole.
struct ControlRequest {
  std::string method;
  std::string target;  ///< path and query as sent
  std::string host;    ///< fields, empty = absent
  std::string origin;
  std::string authorization;
  std::string content_type;
  std::string body;
  std::string peer;  ///< address and port of who asks, for audit lines
};

struct ControlReply {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::string allow;             ///< `Allow` of a 405
  std::string www_authenticate;  ///< of a 401
};

/// The operators' HTTP server: plain HTTP/1.1 by Beast, whose parser is good enough behind a loopback listener or a
/// token, and never on the data path. Few connections, small limits, every wait bounded.
///
/// Thread: the one that runs `io`; only a Done may be called from another. Lifetime: `io` outlives it; after stop() or
/// the destructor no handler is called any more.
class ControlServer {
 public:
  /// Answers a request; from any thread, now or later. After 30 s the client gets a 503 instead.
  using Done = std::function<void(ControlReply)>;
  /// The request is only there until the handler returns.
  using Handler = std::function<void(const ControlRequest&, Done)>;

  struct Address {
    std::string host;
    std::uint16_t port = 0;    ///< 0 = any free one
    std::string setting_name;  ///< what the error tells to change, e.g. "admin.listen"
  };

  /// The error names the address, who holds it where that can be seen, and the setting. `inherited`: a listening socket
  /// of the process before this one; negative = none.
  static Result<std::unique_ptr<ControlServer>> open(boost::asio::io_context& io, const Address& address,
                                                     Handler handler, int inherited = -1);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  std::uint16_t port() const;
  int descriptor() const;  ///< to be inherited; valid until it stops accepting
  /// Leaves new connections to another process that has inherited the listener. Open ones are answered once more each.
  void stop_accepting();
  void stop();  ///< closes the listener; answers under way are still written

 private:
  struct Listening;
  class Session;
  explicit ControlServer(std::shared_ptr<Listening> listening) : listening_(std::move(listening)) {}

  std::shared_ptr<Listening> listening_;  // shared: its sessions refer to it until they end
};

}  // namespace weir::net
