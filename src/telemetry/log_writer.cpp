#include "telemetry/log_writer.hpp"

#include <weir/base/log.hpp>
#include "telemetry/log_file.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include <poll.h>

namespace weir::telemetry {
namespace {

constexpr std::chrono::seconds kStopTime{5};
constexpr std::size_t kSparesMax = 8;  // kept for reuse; more are freed after a burst
constexpr std::size_t kPiecesMax = 64;

/// Writes all of `pieces`; 0 or the errno that stopped it. `torn` tells whether the last line written is incomplete.
int write_all(int descriptor, std::vector<iovec>& pieces, bool& torn) {
  std::size_t next = 0;
  while (next < pieces.size()) {
    const std::size_t count = std::min(pieces.size() - next, kPiecesMax);
    const ssize_t wrote = ::writev(descriptor, pieces.data() + next, static_cast<int>(count));
    if (wrote < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {  // someone made the pipe non-blocking
        pollfd ready{descriptor, POLLOUT, 0};
        ::poll(&ready, 1, 1000);
        continue;
      }
      return errno;
    }
    auto left = static_cast<std::size_t>(wrote);
    while (left > 0 && left >= pieces[next].iov_len) left -= pieces[next++].iov_len;
    if (next < pieces.size()) {
      pieces[next].iov_base = static_cast<char*>(pieces[next].iov_base) + left;
      pieces[next].iov_len -= left;
      torn = left > 0 ? static_cast<char*>(pieces[next].iov_base)[-1] != '\n' : false;
    } else {
      torn = false;
    }
  }
  return 0;
}

}  // namespace

struct LogWriter::State {
  std::mutex mutex;  // with a condition variable, which Guarded has none of
  std::condition_variable changed;
  std::vector<LogBuffer> waiting;
  std::vector<LogBuffer> spares;
  std::size_t waiting_bytes = 0;  ///< handed over and not yet written
  std::shared_ptr<LogFile> file;
  bool stopping = false;
  bool done = false;

  std::atomic<std::uint64_t> lines_dropped{0};
  std::atomic<std::uint64_t> write_errors{0};

  // The writer thread's own.
  bool failing = false;
  bool torn = false;

  void run();
  void write(const std::vector<LogBuffer>& batch, const LogFile& to);
};

void LogWriter::State::write(const std::vector<LogBuffer>& batch, const LogFile& to) {
  static char line_feed = '\n';
  std::vector<iovec> pieces;
  std::uint64_t lines = 0;
  if (torn) pieces.push_back({&line_feed, 1});  // what a failed write left behind shall not spoil the next line
  for (const LogBuffer& buffer : batch) {
    pieces.push_back({buffer.bytes.get(), buffer.used});
    lines += buffer.lines;
  }
  const int error = write_all(to.descriptor(), pieces, torn);
  if (error == 0) {
    if (std::exchange(failing, false)) log::info("log.to: writing to {} works again", to.name());
    return;
  }
  write_errors.fetch_add(1, std::memory_order_relaxed);
  lines_dropped.fetch_add(lines, std::memory_order_relaxed);  // at most: some of them may have been written
  if (!std::exchange(failing, true)) {
    log::error("log.to: cannot write to {}: {}. Calls go on unlogged (weir_log_lines_dropped_total) until it works.",
               to.name(), std::strerror(error));
  }
}

void LogWriter::State::run() {
  std::vector<LogBuffer> batch;
  std::unique_lock lock{mutex};
  while (true) {
    changed.wait(lock, [this] { return stopping || !waiting.empty(); });
    if (waiting.empty()) break;
    batch.swap(waiting);
    const std::shared_ptr<LogFile> to = file;
    lock.unlock();
    if (to != nullptr) write(batch, *to);
    lock.lock();
    for (LogBuffer& buffer : batch) {
      waiting_bytes -= buffer.used;
      buffer.used = 0;
      buffer.lines = 0;
      if (spares.size() < kSparesMax) spares.push_back(std::move(buffer));
    }
    batch.clear();
  }
  done = true;
  changed.notify_all();
}

LogWriter::LogWriter() : state_(std::make_shared<State>()) {}

Result<std::unique_ptr<LogWriter>> LogWriter::open(const std::string& to) {
  std::unique_ptr<LogWriter> writer{new LogWriter};
  if (auto opened = writer->reopen(to); !opened) return std::unexpected(opened.error());
  // Signals are for the main thread; SIGPIPE of a closed stdout becomes EPIPE.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  writer->thread_ = std::thread{[state = writer->state_] { state->run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return writer;
}

LogWriter::~LogWriter() {
  stop();
}

LogBuffer LogWriter::exchange(LogBuffer filled) {
  LogBuffer empty;
  {
    std::lock_guard lock{state_->mutex};
    if (state_->stopping || state_->waiting_bytes + filled.used > waiting_bytes_max) {
      state_->lines_dropped.fetch_add(filled.lines, std::memory_order_relaxed);
      filled.used = 0;
      filled.lines = 0;
      return filled;
    }
    state_->waiting_bytes += filled.used;
    state_->waiting.push_back(std::move(filled));
    if (!state_->spares.empty()) {
      empty = std::move(state_->spares.back());
      state_->spares.pop_back();
    }
  }
  state_->changed.notify_all();
  return empty;
}

Result<void> LogWriter::reopen(const std::string& to) {
  std::shared_ptr<LogFile> file;
  if (to != "off") {
    auto opened = LogFile::open(to);
    if (!opened) return std::unexpected(opened.error());
    file = std::move(*opened);
  }
  on_.store(file != nullptr, std::memory_order_relaxed);
  std::lock_guard lock{state_->mutex};
  state_->file.swap(file);
  return {};
}

void LogWriter::stop() {
  if (!thread_.joinable()) return;
  bool done = false;
  {
    std::unique_lock lock{state_->mutex};
    state_->stopping = true;
    state_->changed.notify_all();
    done = state_->changed.wait_for(lock, kStopTime, [this] { return state_->done; });
  }
  if (done) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

const std::atomic<std::uint64_t>& LogWriter::lines_dropped() const {
  return state_->lines_dropped;
}
const std::atomic<std::uint64_t>& LogWriter::write_errors() const {
  return state_->write_errors;
}

}  // namespace weir::telemetry
