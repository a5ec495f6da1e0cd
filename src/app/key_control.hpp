#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <weir/base/result.hpp>
#include "admin/admin.hpp"
#include "admission/key_file.hpp"

namespace weir::app {

/// What operators do to keys while weir runs: kept in a file, so that a revoked key stays revoked after a restart.
/// Thread: the control thread's.
class KeyControl {
 public:
  /// The error names the file. `configured`: the keys of the settings.
  Result<void> open(std::filesystem::path file, const std::vector<admission::KeySettings>& configured);

  const admission::KeyChanges& changes() const { return changes_; }

  /// {"keys":[…]} of those in force, without anything that opens a door.
  static admin::ApiReply list(const std::vector<admission::KeySettings>& in_force);
  admin::ApiReply revoke(const std::string& name, const std::vector<admission::KeySettings>& in_force);
  /// The body holds the new key, this once.
  admin::ApiReply rotate(const std::string& name, std::chrono::milliseconds grace,
                         const std::vector<admission::KeySettings>& in_force);

 private:
  /// Nothing takes effect that was not written first.
  admin::ApiReply keep(admission::KeyChanges changed, std::string body);

  std::filesystem::path file_;
  admission::KeyChanges changes_;
};

/// The line to paste under `keys:`.
std::string settings_line(const admission::KeySettings& key);

}  // namespace weir::app
