#include "store/postgres_spool.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <span>

namespace weir::store {
namespace {

constexpr std::uint32_t kMagic = 0x31505357;  // "WSP1"

/// Before each document. Little-endian as the machine; a spool does not travel.
struct Head {
  std::uint32_t magic = kMagic;
  std::uint32_t calls = 0;
  std::uint32_t bytes = 0;
  std::uint32_t check_head = 0;  ///< of the fields before
  std::uint64_t check = 0;       ///< of the document
};
static_assert(sizeof(Head) == 24);

/// FNV-1a: it finds what a crash leaves; nobody attacks this file.
std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  return hash;
}
std::uint32_t head_check(const Head& head) {
  return static_cast<std::uint32_t>(checksum({reinterpret_cast<const char*>(&head), offsetof(Head, check_head)}));
}

bool write_all(int file, std::string_view text, std::uint64_t at) {
  while (!text.empty()) {
    const ssize_t written = pwrite(file, text.data(), text.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return true;
}

bool read_all(int file, std::span<char> into, std::uint64_t at) {
  while (!into.empty()) {
    const ssize_t got = pread(file, into.data(), into.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return true;
}

std::unexpected<Error> disk_says(std::string_view what, const std::string& path) {
  return failure(fmt::format("stores.ledger: cannot {} {}: {}", what, path, std::strerror(errno)));
}

/// A new file is there after a power cut only when its folder is on disk, too.
void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

}  // namespace

Result<std::unique_ptr<PostgresSpool>> PostgresSpool::open(const std::string& path, bool make) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
  if (file < 0) {
    if (errno == ENOENT && !make) return nullptr;
    return disk_says("open", path);
  }
  auto spool = std::unique_ptr<PostgresSpool>(new PostgresSpool(path, file));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return nullptr;
    return disk_says("lock", path);
  }
  struct stat state{};
  if (fstat(file, &state) != 0) return disk_says("read", path);
  if (state.st_nlink == 0) return nullptr;  // its owner emptied and removed it between our two calls
  if (auto found = spool->find_end(); !found) return std::unexpected(found.error());
  if (make) sync_folder_of(path);
  return spool;
}

PostgresSpool::~PostgresSpool() {
  close(file_);
}

Result<void> PostgresSpool::find_end() {
  struct stat state{};
  if (fstat(file_, &state) != 0) return disk_says("read", path_);
  const auto end = static_cast<std::uint64_t>(state.st_size);
  while (end - size_ >= sizeof(Head)) {
    Head head;
    if (!read_all(file_, {reinterpret_cast<char*>(&head), sizeof head}, size_)) return disk_says("read", path_);
    if (head.magic != kMagic || head.check_head != head_check(head)) break;
    if (end - size_ - sizeof head < head.bytes) break;
    size_ += sizeof head + head.bytes;
    calls_ += head.calls;
  }
  torn_bytes_ = end - size_;
  if (torn_bytes_ > 0 && ftruncate(file_, static_cast<off_t>(size_)) != 0) return disk_says("shorten", path_);
  return {};
}

Result<void> PostgresSpool::append(std::string_view document, std::uint64_t calls) {
  Head head;
  head.calls = static_cast<std::uint32_t>(calls);
  head.bytes = static_cast<std::uint32_t>(document.size());
  head.check_head = head_check(head);
  head.check = checksum(document);
  if (head.bytes != document.size()) return failure("stores.ledger: a batch past 4 GiB cannot be spooled");
  if (!write_all(file_, document, size_ + sizeof head) ||
      !write_all(file_, {reinterpret_cast<const char*>(&head), sizeof head}, size_) || fdatasync(file_) != 0) {
    auto error = disk_says("write", path_);
    // A batch that is told to be lost must not turn up later.
    if (ftruncate(file_, static_cast<off_t>(size_)) != 0) error = disk_says("shorten", path_);
    return error;
  }
  size_ += sizeof head + document.size();
  calls_ += calls;
  return {};
}

Result<PostgresSpool::Document> PostgresSpool::oldest() const {
  Head head;
  if (!read_all(file_, {reinterpret_cast<char*>(&head), sizeof head}, read_at_)) return disk_says("read", path_);
  Document document;
  document.calls = head.calls;
  document.text.resize(head.bytes);
  if (!read_all(file_, document.text, read_at_ + sizeof head)) return disk_says("read", path_);
  document.sound = checksum(document.text) == head.check;
  if (!document.sound) document.text.clear();
  return document;
}

void PostgresSpool::done() {
  Head head;
  // find_end() or append() has seen this head; a disk that no longer gives it back ends the file here.
  if (!read_all(file_, {reinterpret_cast<char*>(&head), sizeof head}, read_at_)) {
    read_at_ = size_;
    calls_ = 0;
  } else {
    read_at_ += sizeof head + head.bytes;
    calls_ -= head.calls;
  }
  if (empty()) unlink(path_.c_str());
}

std::string postgres_spool_file(const std::string& folder, std::uint64_t instance) {
  return std::filesystem::path(folder) / fmt::format("ledger-{:016x}.spool", instance);
}

std::uint64_t postgres_spool_instance(const std::string& path) {
  const std::string name = std::filesystem::path(path).stem();
  std::uint64_t instance = 0;
  const std::size_t at = name.rfind('-') + 1;
  const auto parsed = std::from_chars(name.data() + at, name.data() + name.size(), instance, 16);
  return parsed.ec == std::errc{} ? instance : 0;
}

std::vector<std::string> postgres_spool_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("ledger-") && name.ends_with(".spool")) files.push_back(entry.path());
  }
  // Older files first, as far as the disk remembers.
  std::ranges::sort(files, {}, [](const std::string& file) {
    std::error_code gone;
    return std::filesystem::last_write_time(file, gone);
  });
  return files;
}

Result<void> append_durably(const std::string& path, std::string_view text, std::uint64_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return disk_says("open", path);
  struct stat state{};
  Result<void> written;
  if (fstat(file, &state) != 0) {
    written = disk_says("read", path);
  } else if (static_cast<std::uint64_t>(state.st_size) + text.size() > bytes_max) {
    written = failure(fmt::format("stores.ledger: {} is full", path));
  } else if (!write_all(file, text, static_cast<std::uint64_t>(state.st_size)) || fdatasync(file) != 0) {
    written = disk_says("write", path);
  }
  close(file);
  return written;
}

}  // namespace weir::store
