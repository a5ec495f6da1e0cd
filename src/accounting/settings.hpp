#pragma once
#include <string>

namespace weir::accounting {

/// `stores.ledger`: where calls are booked durably.
struct LedgerSettings {
  std::string to;      ///< "off", a SQLite file's path, or postgres://… (secret); empty = weir.db in the state folder
  std::string folder;  ///< the state folder, where counts and a spool lie; the app fills it in
  bool operator==(const LedgerSettings&) const = default;
};

}  // namespace weir::accounting
