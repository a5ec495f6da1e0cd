#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "admission/settings.hpp"

namespace weir::admission {

/// What was done to keys while weir ran: keys that were made, and when keys end (also such as stand in the settings).
/// Holds hashes only, never a key.
struct KeyChanges {
  std::vector<KeySettings> made;
  std::map<std::string, std::int64_t> ends;  ///< hash → when it ends, UTC milliseconds
  bool operator==(const KeyChanges&) const = default;
};

/// A file that is not there is no changes. The error names the file.
Result<KeyChanges> load_key_changes(const std::filesystem::path& file);
/// Whole or not at all: written beside it, synced, renamed; mode 0600.
Result<void> save_key_changes(const std::filesystem::path& file, const KeyChanges& changes);

/// The keys that are in force: those of the settings and those that were made, with their ends.
std::vector<KeySettings> keys_in_force(const std::vector<KeySettings>& configured, const KeyChanges& changes);

/// A key that was just made: its text is shown once and then forgotten.
struct NewKey {
  std::string text;
  KeySettings settings;
};

/// The error says what a name may look like.
Result<NewKey> make_key(std::string_view name, std::string_view group);
/// All keys of that name end now.
Result<void> revoke_key(std::string_view name, std::int64_t now_unix_ms, const std::vector<KeySettings>& in_force,
                        KeyChanges& changes);
/// A new key with the same rights; the old ones end after `grace_ms`.
Result<NewKey> rotate_key(std::string_view name, std::int64_t now_unix_ms, std::int64_t grace_ms,
                          const std::vector<KeySettings>& in_force, KeyChanges& changes);

/// Forgets what can no longer matter: keys that ended more than 90 days ago and are in no settings.
void forget_old(std::int64_t now_unix_ms, const std::vector<KeySettings>& configured, KeyChanges& changes);

}  // namespace weir::admission
