#pragma once
#include "net/asio_types.hpp"
#include "net/worker.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::fakes {

/// The other end of a TCP connection on loopback, in the test's hand: never blocks, reads when it is looked at.
class Peer {
 public:
  Peer() = default;
  explicit Peer(int socket) : socket_(socket) {
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Peer(Peer&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), got_(std::move(other.got_)), ended_(other.ended_) {}
  Peer& operator=(Peer&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(got_, other.got_);
    std::swap(ended_, other.ended_);
    return *this;
  }
  ~Peer() { close(); }

  static Peer connect_to(std::uint16_t port) {
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return Peer{made};
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  bool open() const { return socket_ >= 0; }
  /// For what fits into the kernel's buffers.
  void send(std::string_view bytes) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    EXPECT_EQ(sent, static_cast<ssize_t>(bytes.size()));
  }
  /// All that came so far.
  const std::string& got() {
    char bytes[16384];
    while (socket_ >= 0 && !ended_) {
      const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (size > 0) got_.append(bytes, static_cast<std::size_t>(size));
      if (size <= 0) ended_ = true;
    }
    return got_;
  }
  void forget() { got_.clear(); }
  /// Whether the other side closed.
  bool ended() {
    got();
    return ended_;
  }
  void shutdown_send() { shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// Closes in the rude way.
  void reset() {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  int release() { return std::exchange(socket_, -1); }

 private:
  int socket_ = -1;
  std::string got_;
  bool ended_ = false;
};

/// A listening port on 127.0.0.1. The kernel completes connections by itself; accept() takes one that is there.
class LoopbackListener {
 public:
  LoopbackListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address = Peer::loopback(0);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_, 64), 0);
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~LoopbackListener() { close(); }
  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  std::uint16_t port() const { return port_; }
  /// Whether somebody waits to be accepted.
  bool knocked() const {
    pollfd look{socket_, POLLIN, 0};
    return poll(&look, 1, 0) == 1;
  }
  Peer accept() {
    const int made = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(made, 0);
    return Peer{made};
  }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

/// Both ends of one connection: ours as a socket of the worker, the other in the test's hand.
struct Pair {
  explicit Pair(net::Worker& worker) : socket(worker.executor()) {
    LoopbackListener listener;
    peer = Peer::connect_to(listener.port());
    socket.assign(net::Tcp::v4(), listener.accept().release());
  }
  net::Socket socket;
  Peer peer;
};

}  // namespace weir::fakes
