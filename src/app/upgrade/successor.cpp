#include "app/upgrade/successor.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace weir::app {
namespace {

constexpr int kFirstDescriptor = 3;  // behind stdin, stdout and stderr, which it shares with us
constexpr std::chrono::milliseconds kLookEvery{20};
constexpr int kLooksMax = 100;  // 2 s from a closed channel to its end; then it is killed

/// Duplicates that are closed at the end; the new process has its own.
class Descriptors {
 public:
  Descriptors() = default;
  ~Descriptors() {
    for (const int one : all_) ::close(one);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  void add(int descriptor) { all_.push_back(descriptor); }
  const std::vector<int>& all() const { return all_; }

 private:
  std::vector<int> all_;
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::string describe_end(int status) {
  if (WIFEXITED(status)) return fmt::format("it ended with exit code {}", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    return fmt::format("it was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return "it ended";
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::string& legacy) {
  const std::string ours = std::string(Legacy::kVariable) + "=";
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    if (!std::string_view(*one).starts_with(ours)) all.emplace_back(*one);
  }
  all.push_back(ours + legacy);
  return all;
}

}  // namespace

Program Program::of_process() {
  Program program;
  std::error_code error;
  program.path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::ifstream command("/proc/self/cmdline", std::ios::binary);
  for (std::string argument; std::getline(command, argument, '\0');) program.arguments.push_back(argument);
  return program;
}

Successor::Successor(boost::asio::io_context& control, Program program)
    : channel_(control), timer_(control), program_(std::move(program)) {}

void Successor::start(const std::vector<Legacy::Listener>& listeners, Done done) {
  if (auto spawned = spawn(listeners); !spawned) return done(std::unexpected(spawned.error()));
  done_ = std::move(done);
  messages_ = {};
  why_.clear();
  timer_.expires_after(kReadyTime);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled || !done_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fail(fmt::format("{} (pid {}) was not ready within {} s and was ended", program_.path, pid_, kReadyTime.count()));
  });
  read();
}

Result<void> Successor::spawn(const std::vector<Legacy::Listener>& listeners) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return failure(fmt::format("no channel to a new process: {}", std::strerror(errno)));
  }
  Descriptors given;
  given.add(pair[1]);
  boost::system::error_code error;
  channel_.close(error);
  channel_.assign({}, pair[0], error);

  // The new process gets them as 3, 4, …, and nothing behind. First out of the way of those numbers, so that no
  // dup2() there overwrites one that is still to be given.
  SpawnActions actions;
  Legacy legacy;
  const int end = kFirstDescriptor + static_cast<int>(listeners.size()) + 1;
  int next = kFirstDescriptor;
  const auto give = [&](int descriptor) {
    const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, end);
    if (copy >= 0) given.add(copy);
    posix_spawn_file_actions_adddup2(actions.get(), copy, next);
    return copy >= 0 ? next++ : -1;
  };
  for (const Legacy::Listener& one : listeners) legacy.listeners.push_back({one.address, give(one.descriptor)});
  legacy.channel = give(pair[1]);
  if (next != end) return failure(fmt::format("no descriptors for a new process: {}", std::strerror(errno)));
  posix_spawn_file_actions_addclosefrom_np(actions.get(), end);

  std::vector<std::string> arguments = program_.arguments;
  std::vector<std::string> environment = environment_with(legacy.text());
  const int failed = posix_spawn(&pid_, program_.path.c_str(), actions.get(), nullptr, pointers(arguments).data(),
                                 pointers(environment).data());
  if (failed != 0) return failure(fmt::format("cannot start {}: {}", program_.path, std::strerror(failed)));
  return {};
}

void Successor::read() {
  channel_.async_read_some(boost::asio::buffer(buffer_), [this](boost::system::error_code error, std::size_t bytes) {
    if (!done_) return;
    messages_.feed({buffer_.data(), bytes});
    if (const auto message = messages_.next()) {
      timer_.cancel();
      if (message->note == Note::ready) return std::exchange(done_, nullptr)({});
      why_ = message->text;
      return fail_when_gone(0);
    }
    if (error || messages_.broken()) return fail_when_gone(0);
    read();
  });
}

void Successor::fail_when_gone(int looks) {
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended != 0) {
    timer_.cancel();
    if (why_.empty()) why_ = ended == pid_ ? describe_end(status) : "it ended";
    return fail(fmt::format("{} (pid {}) did not get ready: {}", program_.path, pid_, why_));
  }
  if (looks == kLooksMax) kill(pid_, SIGKILL);
  timer_.expires_after(kLookEvery);
  timer_.async_wait([this, looks](boost::system::error_code cancelled) {
    if (!cancelled && done_) fail_when_gone(looks + 1);
  });
}

void Successor::fail(std::string why) {
  boost::system::error_code ignored;
  channel_.close(ignored);
  std::exchange(done_, nullptr)(failure(std::move(why)));
}

void Successor::abandon() {
  if (!starting()) return;
  done_ = nullptr;
  timer_.cancel();
  boost::system::error_code ignored;
  channel_.close(ignored);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Successor::give_ownership() {
  boost::system::error_code ignored;  // one that died meanwhile leaves nobody to tell
  boost::asio::write(channel_, boost::asio::buffer(frame_of({Note::owner, ""})), ignored);
  channel_.close(ignored);
}

}  // namespace weir::app
