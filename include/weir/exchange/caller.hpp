#pragma once
#include <string>
#include <vector>

namespace weir {

/// Who calls: one client key, as admission found it. Immutable; lives as long as the snapshot that the exchange holds.
struct Caller {
  std::string name;                ///< the key's name: a label, never the key itself
  std::string group;               ///< the innermost group; empty = none
  std::vector<std::string> zones;  ///< the only zones it may reach; empty = any
  bool operator==(const Caller&) const = default;
};

}  // namespace weir
