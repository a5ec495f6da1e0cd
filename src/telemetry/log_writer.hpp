#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <weir/base/result.hpp>

namespace weir::telemetry {

/// Whole lines on their way to the log; filled by one worker, then given away.
struct LogBuffer {
  static constexpr std::size_t capacity = 256U << 10;

  std::unique_ptr<char[]> bytes;  ///< null until first needed
  std::size_t used = 0;
  std::uint64_t lines = 0;
};

/// Writes the call log from a thread of its own, so that no io thread ever waits for a disk or a pipe.
///
/// Thread: exchange() from any worker; reopen() and stop() from the owner's thread.
class LogWriter {
 public:
  /// Past this many waiting bytes the reader of the log is too slow: lines are dropped and counted.
  static constexpr std::size_t waiting_bytes_max = 8U << 20;

  /// `to`: stdout, stderr, off, or a file's path, appended to. The error names `log.to`.
  static Result<std::unique_ptr<LogWriter>> open(const std::string& to);
  ~LogWriter();  ///< stop()
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  bool on() const { return on_.load(std::memory_order_relaxed); }

  /// Takes full lines, gives an empty buffer back. One short lock.
  LogBuffer exchange(LogBuffer filled);

  /// From now on into `to`, which may be the same path after a rotation. On an error all stays as it was.
  Result<void> reopen(const std::string& to);

  /// Writes all that was handed over. Gives up on a reader that takes nothing for five seconds.
  void stop();

  const std::atomic<std::uint64_t>& lines_dropped() const;
  const std::atomic<std::uint64_t>& write_errors() const;

 private:
  struct State;
  LogWriter();

  std::shared_ptr<State> state_;  // shared: a writer stuck in write() at the end is left behind with it
  std::atomic<bool> on_{false};
  std::thread thread_;
};

}  // namespace weir::telemetry
