#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "store/postgres_connection.hpp"

namespace weir::store {

/// A PostgreSQL of our own on a loopback port: cluster in a temporary folder, nothing of the machine's own clusters is
/// touched. One per test program; each test makes a database of its own in it.
class PostgresServer {
 public:
  static PostgresServer& get() {
    static PostgresServer server;
    return server;
  }
  ~PostgresServer() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// An empty database and the URL to it, with its password.
  std::string fresh_database() {
    const std::string name = fmt::format("weir_{}", ++databases_);
    admin(fmt::format("CREATE DATABASE {}", name));
    return url(name);
  }
  std::string url(const std::string& database, const std::string& password = "se%20cret") const {
    return fmt::format("postgres://weir:{}@127.0.0.1:{}/{}", password, port_, database);
  }
  PostgresConnection connect(const std::string& to) {
    auto connection = PostgresConnection::open(**postgres_library(), to, Clock::now() + std::chrono::seconds(30));
    if (!connection) throw std::runtime_error(connection.error().message);
    return std::move(*connection);
  }
  void admin(const std::string& sql) {
    PostgresConnection connection = connect(url("postgres"));
    const auto done = connection.ask(sql, Clock::now() + std::chrono::seconds(60));
    if (!done) throw std::runtime_error(done.error().message);
  }

  void start() {
    ASSERT_EQ(pid_, 0);
    pid_ = spawn({bin_ + "/postgres", "-D", folder_ + "/data"});
    const auto give_up = Clock::now() + std::chrono::seconds(60);
    for (;;) {
      auto connection =
          PostgresConnection::open(**postgres_library(), url("postgres"), Clock::now() + std::chrono::seconds(5));
      if (connection) return;
      if (Clock::now() > give_up) throw std::runtime_error("PostgreSQL does not start: " + connection.error().message);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  /// Immediate shutdown: as after a crash.
  void stop() {
    if (pid_ == 0) return;
    kill(pid_, SIGQUIT);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  /// Connections stay open and nothing answers.
  void freeze() { signal_all(SIGSTOP); }
  void thaw() { signal_all(SIGCONT); }

 private:
  PostgresServer() {
    find_binaries();
    folder_ = (std::filesystem::temp_directory_path() / "weir-postgres-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    if (geteuid() == 0) {
      const passwd* const entry = getpwnam("postgres");
      if (entry == nullptr) throw std::runtime_error("no user postgres: install postgresql (scripts/setup test)");
      user_ = entry->pw_uid;
      group_ = entry->pw_gid;
      if (chown(folder_.c_str(), user_, group_) != 0) throw std::runtime_error("chown");
    }
    const std::string password = folder_ + "/password";
    std::ofstream(password) << "se cret\n";
    const pid_t made = spawn({bin_ + "/initdb", "-D", folder_ + "/data", "-U", "weir", "--pwfile", password, "-A",
                              "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"});
    int status = 0;
    waitpid(made, &status, 0);
    if (status != 0) throw std::runtime_error("initdb failed: see " + folder_ + "/log");
    port_ = free_port();
    std::ofstream(folder_ + "/data/postgresql.conf", std::ios::app) << fmt::format(
        "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\n"
        "shared_buffers = 32MB\nmax_connections = 40\nautovacuum = off\n",
        port_, folder_);
    start();
  }

  void find_binaries() {
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
      const std::string bin = entry.path() / "bin";
      if (access((bin + "/postgres").c_str(), X_OK) == 0 && access((bin + "/initdb").c_str(), X_OK) == 0) bin_ = bin;
    }
    if (bin_.empty()) throw std::runtime_error("no PostgreSQL in /usr/lib/postgresql: run scripts/setup test");
  }

  static int free_port() {
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(probe, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    close(probe);
    return ntohs(address.sin_port);
  }

  /// As the user postgres where we are root, which PostgreSQL refuses; dies with us.
  pid_t spawn(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string log = folder_ + "/log";
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child != 0) return child;
    setsid();
    if (user_ != 0 && (setgid(group_) != 0 || setuid(user_) != 0)) _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir("/tmp") != 0) _exit(126);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    unsetenv("LD_PRELOAD");
    setenv("LC_ALL", "C", 1);
    execv(argv.front(), argv.data());
    _exit(127);
  }

  void signal_all(int signal) {
    std::vector<pid_t> all{pid_};
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
      if (pid <= 0) continue;
      std::ifstream stat(entry.path() / "stat");
      std::string line;
      std::getline(stat, line);
      const std::size_t paren = line.rfind(')');
      if (paren == std::string::npos || paren + 4 >= line.size()) continue;
      if (std::atoi(line.c_str() + paren + 4) == pid_) all.push_back(pid);
    }
    for (const pid_t pid : all) kill(pid, signal);
  }

  std::string bin_;
  std::string folder_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t pid_ = 0;
  int port_ = 0;
  int databases_ = 0;
};

}  // namespace weir::store
