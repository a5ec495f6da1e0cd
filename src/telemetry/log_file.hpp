#pragma once
#include <memory>
#include <string>

#include <weir/base/result.hpp>

namespace weir::telemetry {

/// A descriptor that the call log is written to.
/// Thread: one writer; the destructor closes a file, never stdout or stderr.
class LogFile {
 public:
  /// `to`: stdout, stderr or a path. The error names `log.to` and says why.
  static Result<std::shared_ptr<LogFile>> open(const std::string& to);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }

 private:
  LogFile(std::string name, int descriptor, bool owned)
      : name_(std::move(name)), descriptor_(descriptor), owned_(owned) {}

  std::string name_;
  int descriptor_;
  bool owned_;
};

}  // namespace weir::telemetry
