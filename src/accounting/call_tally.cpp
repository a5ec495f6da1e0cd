#include "accounting/call_tally.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>

#include <fmt/format.h>

namespace weir::accounting {
namespace {

constexpr std::uint64_t kMark = 0x3130796c6c617477U;  // "wtally01"

std::unexpected<Error> cannot(const std::string& path) {
  return failure(
      fmt::format("stores.ledger: the count of calls, {}, cannot be made: {}; give this user write access to "
                  "that folder, and room on its disk",
                  path, std::strerror(errno)));
}

}  // namespace

Result<std::unique_ptr<CallTally>> CallTally::make(const std::string& prefix, std::uint64_t instance,
                                                   std::size_t workers) {
  std::unique_ptr<CallTally> tally{new CallTally};
  const std::string path = fmt::format("{}.calls-{:016x}", prefix, instance);
  const std::string unlocked = path + ".new";  // gets its name when it is locked: nobody takes it for one left behind
  tally->path_ = unlocked;
  tally->workers_ = workers;
  tally->descriptor_ = ::open(unlocked.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (tally->descriptor_ < 0) return cannot(path);
  const std::size_t size = (workers + 1) * sizeof(Slot);
  // Allocated, not only sized: a write into a hole of a full disk would be a SIGBUS.
  const int error = ::posix_fallocate(tally->descriptor_, 0, static_cast<off_t>(size));
  if (error != 0) {
    tally->remove();
    errno = error;
    return cannot(path);
  }
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, tally->descriptor_, 0);
  if (at == MAP_FAILED || ::flock(tally->descriptor_, LOCK_EX | LOCK_NB) != 0 ||
      std::rename(unlocked.c_str(), path.c_str()) != 0) {
    const int why = errno;
    if (at != MAP_FAILED) ::munmap(at, size);
    tally->remove();
    errno = why;
    return cannot(path);
  }
  tally->path_ = path;
  tally->slots_ = static_cast<Slot*>(at);
  for (std::size_t i = 0; i <= workers; ++i) new (&tally->slots_[i]) Slot{};
  tally->slots_[0].calls = instance;
  tally->slots_[0].mark = kMark;
  return tally;
}

CallTally::~CallTally() {
  if (slots_ != nullptr) ::munmap(slots_, (workers_ + 1) * sizeof(Slot));
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t CallTally::sum() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i <= workers_; ++i) sum += slots_[i].calls.load(std::memory_order_relaxed);
  return sum;
}

void CallTally::remove() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

std::vector<CallTally::Left> CallTally::left_behind(const std::string& prefix) {
  std::vector<Left> found;
  const std::filesystem::path beside(prefix);
  const std::string begin = beside.filename().string() + ".calls-";
  std::error_code error;
  const auto folder = beside.parent_path().empty() ? std::filesystem::path(".") : beside.parent_path();
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(begin) || name.size() != begin.size() + 16) continue;
    const int descriptor = ::open(at->path().c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    Left left{at->path().string(), 0, 0};
    std::array<std::uint64_t, sizeof(Slot) / sizeof(std::uint64_t)> slot{};  // calls, mark, padding
    const auto next = [&] { return ::read(descriptor, slot.data(), sizeof(slot)) == sizeof(slot); };
    const bool whole = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && next() && slot[1] == kMark;
    left.instance = slot[0];
    while (whole && next()) left.ended += slot[0];
    ::close(descriptor);
    if (whole) found.push_back(std::move(left));
  }
  return found;
}

}  // namespace weir::accounting
