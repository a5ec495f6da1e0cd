#pragma once
#include <string>

namespace weir::accounting {

/// `stores.ledger`, with its paths worked out.
struct LedgerSettings {
  std::string to = "off";    ///< off, file, or a postgres:// URL
  std::string file;          ///< where the SQLite file is, for `file`
  std::string spool_folder;  ///< where batches wait while a PostgreSQL is away
  bool operator==(const LedgerSettings&) const = default;
};

}  // namespace weir::accounting
