#include "net/port_owner.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace weir::net {
namespace {

namespace fs = std::filesystem;

/// The inodes of sockets that listen on `port`; columns as in proc(5), /proc/net/tcp.
void collect_listeners(const char* table, std::uint16_t port, std::set<std::string>& inodes) {
  std::ifstream in{table};
  std::string line;
  std::getline(in, line);  // the heading
  while (std::getline(in, line)) {
    std::istringstream columns{line};
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    columns >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    if (state != "0A") continue;  // TCP_LISTEN
    const std::size_t colon = local.rfind(':');
    if (colon == std::string::npos) continue;
    unsigned found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    if (found == port) inodes.insert(inode);
  }
}

bool holds_one_of(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator at{process / "fd", error}, end; !error && at != end; at.increment(error)) {
    std::error_code unreadable;
    const std::string target = fs::read_symlink(at->path(), unreadable).string();
    constexpr std::string_view prefix = "socket:[";
    if (unreadable || !target.starts_with(prefix)) continue;
    if (inodes.contains(target.substr(prefix.size(), target.size() - prefix.size() - 1))) return true;
  }
  return false;
}

}  // namespace

std::optional<int> find_port_owner(std::uint16_t port) {
  std::set<std::string> inodes;
  collect_listeners("/proc/net/tcp", port, inodes);
  collect_listeners("/proc/net/tcp6", port, inodes);
  if (inodes.empty()) return std::nullopt;
  std::error_code error;
  for (fs::directory_iterator at{"/proc", error}, end; !error && at != end; at.increment(error)) {
    const std::string pid = at->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || !holds_one_of(at->path(), inodes)) continue;
    int found = 0;
    std::from_chars(pid.data(), pid.data() + pid.size(), found);
    return found;
  }
  return std::nullopt;
}

std::string describe_port_owner(std::uint16_t port) {
  const auto owner = find_port_owner(port);
  if (!owner) return {};
  const std::string pid = std::to_string(*owner);
  std::string command;
  std::getline(std::ifstream{fs::path{"/proc"} / pid / "comm"}, command);
  return (command.empty() ? std::string{"a process"} : command) + " (pid " + pid + ")";
}

}  // namespace weir::net
