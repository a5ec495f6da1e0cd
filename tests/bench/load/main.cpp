// bench_load: a closed loop of calls over keep-alive connections, one thread. Every answer's text is compared byte by
// byte with what the mock must have said. See options.cpp for the command line.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "load/options.hpp"
#include "load/result.hpp"
#include "process/message.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 256U << 10;
constexpr std::size_t kReplyKept = 1U << 20;
constexpr std::chrono::seconds kPatience{30};  // for calls in flight once no new one starts

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// Blocking: on this machine a connection is there or refused at once. -1 if refused.
int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (fd >= 0) close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct Client {
  int fd = -1;
  std::string request;
  std::size_t sent = 0;
  std::uint64_t seed = 0;
  bool in_call = false;
  bool waits_to_write = false;
  Clock::time_point started;
  Clock::time_point first_byte;
  Message reply{kReplyKept};
};

class Load {
 public:
  explicit Load(const Options& options);
  int run();

 private:
  void start_call(Client& client);
  bool open(Client& client);
  void reopen(Client& client);
  void write_more(Client& client);
  void on_readable(Client& client);
  void end_call(Client& client, std::string_view error);
  bool may_start() const { return started_ < wanted_ && Clock::now() < last_start_; }
  void loop_until_quiet();
  void hold_until_stdin_ends();

  const Options& options_;
  std::size_t wanted_;
  std::size_t started_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t seed_at_;  // in the request
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_start_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  Result result_;
};

Load::Load(const Options& options)
    : options_{options}, wanted_{options.mode == Mode::idle ? options.connections : options.requests} {
  const auto request = make_request(options);
  seed_at_ = request.seed_at;
  const auto limit = std::chrono::duration<double>{options.seconds};
  last_start_ = begin_ + std::chrono::duration_cast<Clock::duration>(limit);
  for (std::size_t i = 0; i < options.connections; ++i) {
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->request = request.text;
  }
}

int Load::run() {
  if (options_.mode == Mode::idle) {
    for (auto& client : clients_) {  // one after the other, so that holding is what costs, not a crowd of calls
      if (open(*client) && may_start()) start_call(*client);
      loop_until_quiet();
      std::string{}.swap(client->request);
    }
    hold_until_stdin_ends();
  } else {
    for (auto& client : clients_) {
      if (!open(*client)) break;
    }
    begin_ = Clock::now();  // opening is not part of it
    for (auto& client : clients_) {
      if (client->fd >= 0 && may_start()) start_call(*client);
    }
    loop_until_quiet();
  }
  result_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  std::puts(result_.json().c_str());
  return result_.errors == 0 ? 0 : 1;
}

bool Load::open(Client& client) {
  client.fd = connect_to(options_.port);
  if (client.fd < 0) {
    ++result_.calls;
    result_.fail("cannot connect");
    return false;
  }
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &client}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event);
  return true;
}

void Load::reopen(Client& client) {
  close(client.fd);
  client.fd = -1;
  client.waits_to_write = false;
  open(client);
}

void Load::start_call(Client& client) {
  client.seed = kSeedFirst + started_++;
  auto* const digits = client.request.data() + seed_at_;
  std::to_chars(digits, digits + kSeedDigits, client.seed);
  client.sent = 0;
  client.reply.reset();
  client.first_byte = {};
  client.in_call = true;
  ++in_flight_;
  client.started = Clock::now();
  write_more(client);
}

void Load::write_more(Client& client) {
  const auto left = client.request.size() - client.sent;
  if (left > 0) {
    const auto count = send(client.fd, client.request.data() + client.sent, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) client.sent += static_cast<std::size_t>(count);
    // A send that fails is not the end: a refusal may wait to be read.
    if (count < 0 && errno != EAGAIN) client.sent = client.request.size();
  }
  if (const bool waits = client.sent < client.request.size(); waits != client.waits_to_write) {
    client.waits_to_write = waits;
    epoll_event event{.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.ptr = &client}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd, &event);
  }
}

void Load::on_readable(Client& client) {
  const auto count = recv(client.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    if (client.in_call) return end_call(client, client.reply.started() ? "reply cut" : "closed without a reply");
    ++result_.reconnects;
    return reopen(client);
  }
  if (!client.in_call) return;
  client.reply.feed({buffer_.data(), static_cast<std::size_t>(count)});
  if (client.reply.body_bytes() > 0 && client.first_byte == Clock::time_point{}) client.first_byte = Clock::now();
  if (client.reply.broken()) return end_call(client, "reply is not HTTP");
  if (client.reply.complete()) end_call(client, "");
}

void Load::end_call(Client& client, std::string_view error) {
  const auto now = Clock::now();
  client.in_call = false;
  --in_flight_;
  ++result_.calls;
  result_.bytes_body += client.reply.body_bytes();
  if (!error.empty()) {
    result_.fail(error);
  } else if (client.reply.head().find(" 200 ") != 8) {
    result_.fail(std::string{client.reply.head().substr(0, 12)} + " " + std::string{client.reply.body()});
  } else {
    result_.latency_us.push_back(static_cast<float>(microseconds(now - client.started)));
    result_.first_byte_us.push_back(static_cast<float>(microseconds(client.first_byte - client.started)));
    check_text(client.reply.body(), options_, client.seed, result_);
  }
  const bool half_sent = client.sent < client.request.size();
  if (!error.empty() || half_sent || client.reply.field("connection") == "close") reopen(client);
  if (client.fd >= 0 && options_.mode != Mode::idle && may_start()) start_call(client);
}

void Load::loop_until_quiet() {
  std::vector<epoll_event> events(512);
  const auto give_up = last_start_ + kPatience;
  while (in_flight_ > 0) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      auto& client = *static_cast<Client*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0U) write_more(client);
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0U) on_readable(client);
    }
    if (count == 0 && Clock::now() > give_up) {
      result_.calls += in_flight_;
      for (; in_flight_ > 0; --in_flight_) result_.fail("no end within the time");
    }
  }
}

/// Says "held" once all connections stand; a connection that the server closes meanwhile is an error.
void Load::hold_until_stdin_ends() {
  std::printf("{\"held\":%zu}\n", result_.latency_us.size());
  std::fflush(stdout);
  char ignored[64];
  while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
  }
  char byte = 0;
  for (const auto& client : clients_) {
    if (client->fd >= 0 && recv(client->fd, &byte, 1, MSG_DONTWAIT) == 0) result_.fail("an idle connection was closed");
  }
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  const auto options = weir::bench::read_options(argc, argv);
  if (!options) return 2;
  return weir::bench::Load{*options}.run();
}
