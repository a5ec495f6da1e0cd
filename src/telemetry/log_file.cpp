#include "telemetry/log_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace weir::telemetry {

Result<std::shared_ptr<LogFile>> LogFile::open(const std::string& to) {
  if (to == "stdout") return std::shared_ptr<LogFile>(new LogFile(to, STDOUT_FILENO, false));
  if (to == "stderr") return std::shared_ptr<LogFile>(new LogFile(to, STDERR_FILENO, false));
  // O_APPEND: two processes (an upgrade) and logrotate's copytruncate may share the file.
  const int descriptor = ::open(to.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return failure("log.to: cannot write to " + to + ": " + std::strerror(errno) +
                   ". Set log.to to a file that weir may write, or to stdout, stderr or off.");
  }
  return std::shared_ptr<LogFile>(new LogFile(to, descriptor, true));
}

LogFile::~LogFile() {
  if (owned_) ::close(descriptor_);
}

}  // namespace weir::telemetry
