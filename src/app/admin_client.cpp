#include "app/admin_client.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
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

constexpr std::size_t kReplyBytesMax = 64U << 20;  // a report by user may have many rows

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

  bool connect_to(const addrinfo& address, std::chrono::seconds step_time) const {
    if (descriptor_ < 0) return false;
    const timeval step{step_time.count(), 0};
    // On Linux SO_SNDTIMEO bounds connect() too.
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &step, sizeof step);
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof step);
    return connect(descriptor_, address.ai_addr, address.ai_addrlen) == 0;
  }

  bool send_all(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Until the other side closes.
  std::string read_all() const {
    std::string text;
    char buffer[4096];
    while (text.size() < kReplyBytesMax) {
      const ssize_t got = recv(descriptor_, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int descriptor_;
};

}  // namespace

Result<AdminReply> ask_admin(std::string_view admin_url, const AdminQuestion& question) {
  const auto address = address_of(admin_url);
  if (!address) return std::unexpected(address.error());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address->host.c_str(), address->port.c_str(), &hints, &found); error != 0) {
    return failure(fmt::format("{}: {}", admin_url, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", question.method, question.path);
  if (!question.token.empty()) request += fmt::format("Authorization: Bearer {}\r\n", question.token);
  if (!question.body.empty()) request += "Content-Type: application/json\r\n";
  request += fmt::format("Content-Length: {}\r\n\r\n{}", question.body.size(), question.body);
  int connect_error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const Socket socket(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
    if (!socket.connect_to(*one, question.step_time)) {
      connect_error = errno;
      continue;
    }
    const std::string text = socket.send_all(request) ? socket.read_all() : "";
    AdminReply reply;
    reply.status_line = text.substr(0, text.find('\r'));
    if (text.starts_with("HTTP/1.1 ") && text.size() > 12) {
      std::from_chars(text.data() + 9, text.data() + 12, reply.status);
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) reply.body = text.substr(end + 4);
    }
    if (reply.status != 0) return reply;
    return failure(fmt::format(
        "{}{}: {}", admin_url, question.path,
        text.empty() ? fmt::format("no answer within {} s", question.step_time.count()) : reply.status_line));
  }
  return failure(fmt::format("{}: {}", admin_url, std::strerror(connect_error)));
}

Result<void> ask_health(std::string_view admin_url) {
  AdminQuestion question;
  question.path = "/healthz";
  question.step_time = std::chrono::seconds{2};  // a health check's own limit is usually 3 s
  const auto reply = ask_admin(admin_url, question);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status == 200) return {};
  return failure(fmt::format("{}/healthz: {}", admin_url, reply->status_line));
}

}  // namespace weir::app
