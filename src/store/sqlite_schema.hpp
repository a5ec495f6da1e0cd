#pragma once
#include <cstdint>
#include <string>

#include "store/sqlite_database.hpp"

namespace weir::store::sqlite {

inline constexpr std::int64_t kSchemaVersion = 2;  ///< PRAGMA user_version; see docs/decisions/0007

/// Opens the ledger for writing; makes file (mode 0600), folder and schema where they are not there yet.
Result<Database> open_for_writing(const std::string& path);
/// Opens a ledger that is there, read-only.
Result<Database> open_for_reading(const std::string& path);

}  // namespace weir::store::sqlite
