#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <weir/exchange/powers.hpp>

namespace weir::admission {

/// One entry of `keys:`, or one that was made at run time.
struct KeySettings {
  std::string name;
  std::string hash;  ///< 64 hexadecimal digits: the SHA-256 of the key
  std::string group;
  std::vector<std::string> models;  ///< names that may be asked for, `provider/*` too; empty = all
  std::vector<std::string> routes;  ///< likewise
  std::vector<std::string> zones;   ///< the only zones it may reach; empty = all
  Powers may;
  std::int64_t expires_unix_ms = 0;  ///< 0 = never
  bool operator==(const KeySettings&) const = default;
};

/// One entry of `groups:`.
struct GroupSettings {
  std::string name;
  std::string parent;  ///< empty = none
  bool operator==(const GroupSettings&) const = default;
};

}  // namespace weir::admission
