#include "app/capacity.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace weir::app {
namespace {

constexpr std::size_t kOwnFiles = 64;                       // listeners, log, event loops, the admin port's clients
constexpr std::size_t kCallBytes = std::size_t{64} << 10;   // head, small body, landing buffers of both connections
constexpr std::size_t kBodiesMin = std::size_t{64} << 20;   // two bodies of the default limits.body
constexpr std::size_t kFilesEnough = std::size_t{1} << 20;  // some systems have no bound; a table of that size costs

/// memory.max of the cgroup (v2) that the process sees as its own: a container's or a service's limit.
std::size_t cgroup_limit(std::size_t otherwise) {
  std::ifstream groups("/proc/self/cgroup");
  std::string path = "/";
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::")) path = line.substr(3);
  }
  std::size_t least = otherwise;
  for (;;) {  // a limit of any group above holds too
    std::ifstream file("/sys/fs/cgroup" + path + "/memory.max");
    std::size_t limit = 0;
    if (file >> limit) least = std::min(least, limit);  // "max" is no number
    if (path.empty() || path == "/") return least;
    path.erase(path.rfind('/'));
  }
}

}  // namespace

Capacity Capacity::of_process() {
  Capacity capacity;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    const rlim_t wanted = std::min<rlim_t>(files.rlim_max, kFilesEnough);
    if (files.rlim_cur < wanted) {
      files.rlim_cur = wanted;
      if (setrlimit(RLIMIT_NOFILE, &files) != 0) getrlimit(RLIMIT_NOFILE, &files);
    }
    capacity.open_files = files.rlim_cur;
  }
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) {
    capacity.memory_bytes = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes);
  }
  capacity.memory_bytes = cgroup_limit(capacity.memory_bytes);
  return capacity;
}

std::size_t Capacity::calls() const {
  const std::size_t by_files = open_files > kOwnFiles ? (open_files - kOwnFiles) / 2 : 0;
  const std::size_t by_memory = memory_bytes / 4 / kCallBytes;
  return std::clamp<std::size_t>(std::min(by_files, by_memory), 16, 1'000'000);
}

std::size_t Capacity::body_bytes() const {
  return std::max(memory_bytes / 4, kBodiesMin);
}

}  // namespace weir::app
