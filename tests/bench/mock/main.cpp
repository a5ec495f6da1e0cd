// bench_mock PORT: a provider as fast as one thread can be, so that the gateway in front of it is what is measured.
// POST …/chat/completions answers by the body (see answers.hpp); GET /count says how many calls came.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "mock/answers.hpp"
#include "process/message.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBodyKept = 64U << 10;  // the members we look for stand in front or the body is small
constexpr std::size_t kReadBytes = 256U << 10;

struct Connection {
  int fd = -1;
  std::uint64_t serial = 0;  // tells a timer that its descriptor now belongs to somebody else
  Message request{kBodyKept};
  std::string unsent;
  bool waits_to_write = false;
  Call call;
  int next_event = -1;  // -1: no stream is running
};

struct Timer {
  Clock::time_point due;
  int fd;
  std::uint64_t serial;
  bool operator>(const Timer& other) const { return due > other.due; }
};

struct Counts {
  std::uint64_t chats = 0;
  std::uint64_t streams_left = 0;  // streams whose reader went away
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
};

class Server {
 public:
  explicit Server(std::uint16_t port);
  [[noreturn]] void run();

 private:
  void accept_all();
  void on_readable(Connection& connection);
  void answer(Connection& connection);
  void continue_stream(Connection& connection, Clock::time_point due);
  bool flush(Connection& connection);
  void watch(const Connection& connection, std::uint32_t events, int operation);
  void close(Connection& connection);
  void run_timers();
  timespec until_next_timer() const;

  int listener_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  Counts counts_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

Server::Server(std::uint16_t port) : listener_{socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bench_mock: bind");
  if (listen(listener_, 4096) != 0) fail("bench_mock: listen");
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener_}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
}

void Server::run() {
  std::vector<epoll_event> events(512);
  for (;;) {
    const auto wait = until_next_timer();
    const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                   timers_.empty() ? nullptr : &wait, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
        continue;
      }
      // An event of this batch may be for a connection that an earlier one closed.
      auto* connection = connections_[static_cast<std::size_t>(event.data.fd)].get();
      if (connection == nullptr) continue;
      if ((event.events & EPOLLOUT) != 0U && !flush(*connection)) continue;
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0U) on_readable(*connection);
    }
    run_timers();
  }
}

void Server::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connections_.size() <= static_cast<std::size_t>(fd)) connections_.resize(static_cast<std::size_t>(fd) + 64);
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    connection->serial = ++counts_.accepted;
    ++counts_.open;
    watch(*connection, EPOLLIN, EPOLL_CTL_ADD);
    connections_[static_cast<std::size_t>(fd)] = std::move(connection);
  }
}

void Server::on_readable(Connection& connection) {
  const auto count = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close(connection);
  // One call at a time: whoever sends a second one into a running answer is not a client we measure.
  connection.request.feed({buffer_.data(), static_cast<std::size_t>(count)});
  if (connection.request.broken()) return close(connection);
  if (connection.request.complete() && connection.next_event < 0) answer(connection);
}

void Server::answer(Connection& connection) {
  const auto head = connection.request.head();
  const auto line = head.substr(0, head.find("\r\n"));
  if (line.starts_with("POST ") && line.find("/chat/completions") != std::string_view::npos) {
    ++counts_.chats;
    connection.call = read_call(connection.request.body());
    if (connection.call.stream) {
      connection.unsent += stream_head();
      connection.next_event = 0;
      return continue_stream(connection, Clock::now());
    }
    connection.unsent += plain_reply(connection.call);
  } else if (line.starts_with("GET /count ")) {
    connection.unsent +=
        json_reply("200 OK", R"({"chats":)" + std::to_string(counts_.chats) + R"(,"streams_left":)" +
                                 std::to_string(counts_.streams_left) + R"(,"accepted":)" +
                                 std::to_string(counts_.accepted) + R"(,"open":)" + std::to_string(counts_.open) + "}");
  } else {
    connection.unsent += json_reply(
        "404 Not Found",
        R"({"error":{"message":"bench_mock has only chat completions","type":"invalid_request_error","param":null,"code":null}})");
  }
  connection.request.reset();
  flush(connection);
}

/// A burst writes every event by itself, as real servers do; a paced stream one event per tick, from its own start so
/// that it does not drift.
void Server::continue_stream(Connection& connection, Clock::time_point due) {
  while (connection.next_event >= 0) {
    connection.next_event = append_event(connection.unsent, connection.call, connection.next_event);
    if (connection.next_event < 0) connection.request.reset();
    if (connection.call.block && connection.next_event >= 0) continue;
    if (!flush(connection)) return;
    // The role goes out together with the first text, as real providers do.
    if (connection.next_event > 1 && connection.call.pace.count() > 0) {
      timers_.push({due + connection.call.pace, connection.fd, connection.serial});
      return;
    }
  }
}

/// False when the connection is gone. What the socket does not take now waits for EPOLLOUT.
bool Server::flush(Connection& connection) {
  if (connection.unsent.empty()) return true;
  const auto sent = send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    close(connection);
    return false;
  }
  if (sent > 0) connection.unsent.erase(0, static_cast<std::size_t>(sent));
  // Re-arming on each flush would cost a system call per event.
  if (const bool waits = !connection.unsent.empty(); waits != connection.waits_to_write) {
    connection.waits_to_write = waits;
    watch(connection, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }
  return true;
}

void Server::watch(const Connection& connection, std::uint32_t events, int operation) {
  epoll_event event{.events = events, .data = {.fd = connection.fd}};
  epoll_ctl(epoll_, operation, connection.fd, &event);
}

void Server::close(Connection& connection) {
  if (connection.next_event >= 0) ++counts_.streams_left;
  --counts_.open;
  ::close(connection.fd);
  connections_[static_cast<std::size_t>(connection.fd)].reset();
}

void Server::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.top().due <= now) {
    const auto timer = timers_.top();
    timers_.pop();
    auto* connection = connections_[static_cast<std::size_t>(timer.fd)].get();
    if (connection != nullptr && connection->serial == timer.serial) continue_stream(*connection, timer.due);
  }
}

timespec Server::until_next_timer() const {
  if (timers_.empty()) return {};
  const auto left = std::max(timers_.top().due - Clock::now(), Clock::duration{0});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {seconds.count(), std::chrono::duration_cast<std::chrono::nanoseconds>(left - seconds).count()};
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  const int port = argc == 2 ? std::atoi(argv[1]) : 0;
  if (port <= 0 || port > 65535) {
    std::fputs("usage: bench_mock PORT   (listens on 127.0.0.1)\n", stderr);
    return 2;
  }
  weir::bench::Server server{static_cast<std::uint16_t>(port)};
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  server.run();
}
