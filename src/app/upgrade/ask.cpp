#include "app/upgrade/ask.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "app/upgrade/successor.hpp"
#include "net/port_owner.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kAnswerTime = Successor::kReadyTime + 10s;
constexpr std::size_t kAnswerBytesMax = 8U << 10;

struct Name {
  sockaddr_un address{};
  socklen_t size = 0;
};

/// An abstract name: no file is left behind, and none is in the way.
Name name_of(pid_t asked) {
  Name name;
  name.address.sun_family = AF_UNIX;
  const std::string text = fmt::format("weir-upgrade-{}", asked);
  std::memcpy(name.address.sun_path + 1, text.data(), text.size());
  name.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return name;
}

class Datagrams {
 public:
  Datagrams() : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Datagrams() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  bool listen_as(const Name& name) const {
    const int on = 1;
    return setsockopt(descriptor_, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
           bind(descriptor_, reinterpret_cast<const sockaddr*>(&name.address), name.size) == 0;
  }
  void send_to(const Name& name, std::string_view text) const {
    sendto(descriptor_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&name.address), name.size);
  }
  /// What `from` sent, or nothing within the time. Anybody may send to an abstract name: the kernel says who did.
  std::string receive_from(pid_t from, std::chrono::milliseconds time) const {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(time.count())) != 1) return {};
    std::string text(kAnswerBytesMax, '\0');
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    iovec piece{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(descriptor_, &message, 0);
    if (size <= 0) return {};
    text.resize(static_cast<std::size_t>(size));
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_CREDENTIALS) return {};
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(head), sizeof sender);
    return sender.pid == from ? text : std::string{};
  }

 private:
  int descriptor_;
};

/// SIGUSR2 ends a process that does not expect it, which is every one but a serving weir.
bool expects_signal(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:")) return (std::strtoull(line.c_str() + 7, nullptr, 16) >> (SIGUSR2 - 1) & 1) != 0;
  }
  return false;
}

}  // namespace

Result<pid_t> find_serving(std::string_view admin_url) {
  std::string_view port = admin_url;
  if (port.ends_with('/')) port.remove_suffix(1);
  port.remove_prefix(port.rfind(':') + 1);  // all of it where there is none
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number == 0) {
    return failure(fmt::format("--admin {}: write it as http://127.0.0.1:9090", admin_url));
  }
  if (const auto pid = net::find_port_owner(number)) return *pid;
  return failure(fmt::format(
      "no process that this user can see listens on port {}: name weir's with --pid, or its admin.listen with --admin",
      number));
}

Result<std::string> ask_for_upgrade(pid_t pid) {
  if (!expects_signal(pid)) return failure(fmt::format("pid {} is no weir that serves", pid));
  const Datagrams answers;
  if (!answers.listen_as(name_of(pid))) {
    return failure(errno == EADDRINUSE ? fmt::format("somebody else waits for an upgrade of pid {} already", pid)
                                       : fmt::format("cannot wait for an answer: {}", std::strerror(errno)));
  }
  if (kill(pid, SIGUSR2) != 0) return failure(fmt::format("pid {}: {}", pid, std::strerror(errno)));
  const auto until = std::chrono::steady_clock::now() + kAnswerTime;
  while (std::chrono::steady_clock::now() < until) {
    const std::string answer = answers.receive_from(pid, 200ms);
    if (answer.starts_with('+')) return answer.substr(1);
    if (answer.starts_with('-')) return failure(answer.substr(1));
    if (kill(pid, 0) != 0 && errno == ESRCH) return failure(fmt::format("pid {} ended without an answer", pid));
  }
  return failure(fmt::format("pid {} did not answer within {} s; its messages may say more", pid, kAnswerTime.count()));
}

void answer_upgrade(bool done, std::string_view text) {
  const Datagrams socket;
  socket.send_to(name_of(getpid()), fmt::format("{}{}", done ? '+' : '-', text.substr(0, kAnswerBytesMax - 1)));
}

}  // namespace weir::app
