#pragma once
#include <string>

namespace weir::accounting {

/// `stores.ledger`: where calls are booked durably.
struct LedgerSettings {
  std::string to;  ///< "off", a SQLite file's path, or postgres://…; empty = the default file
  bool operator==(const LedgerSettings&) const = default;
};

}  // namespace weir::accounting
