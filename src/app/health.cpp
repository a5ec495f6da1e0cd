#include "app/health.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::app {
namespace {

constexpr timeval kStepTime{2, 0};  // a health check's own limit is usually 3 s
constexpr std::size_t kReplyBytesMax = 4096;

struct Address {
  std::string host;
  std::string port;
};

Result<Address> address_of(std::string_view url) {
  std::string_view rest = url;
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) {
    return failure(fmt::format("--admin {}: write it as http://127.0.0.1:9090", url));
  }
  return Address{std::string(host), std::string(port)};
}

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool connect_to(const addrinfo& address) const {
    if (descriptor_ < 0) return false;
    // On Linux SO_SNDTIMEO bounds connect() too.
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &kStepTime, sizeof kStepTime);
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kStepTime, sizeof kStepTime);
    return connect(descriptor_, address.ai_addr, address.ai_addrlen) == 0;
  }

  bool send_all(std::string_view text) const {
    return send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  /// Up to the end of the status line.
  std::string read_line() const {
    std::string line;
    char buffer[512];
    while (line.size() < kReplyBytesMax && line.find('\r') == std::string::npos) {
      const ssize_t got = recv(descriptor_, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      line.append(buffer, static_cast<std::size_t>(got));
    }
    return line.substr(0, line.find('\r'));
  }

 private:
  int descriptor_;
};

}  // namespace

Result<void> ask_health(std::string_view admin_url) {
  const auto address = address_of(admin_url);
  if (!address) return std::unexpected(address.error());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address->host.c_str(), address->port.c_str(), &hints, &found); error != 0) {
    return failure(fmt::format("{}: {}", admin_url, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  int connect_error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const Socket socket(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
    if (!socket.connect_to(*one)) {
      connect_error = errno;
      continue;
    }
    const std::string status = socket.send_all("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                                   ? socket.read_line()
                                   : "";
    if (status.starts_with("HTTP/1.1 200")) return {};
    return failure(fmt::format("{}/healthz: {}", admin_url, status.empty() ? "no answer within 2 s" : status));
  }
  return failure(fmt::format("{}: {}", admin_url, std::strerror(connect_error)));
}

}  // namespace weir::app
