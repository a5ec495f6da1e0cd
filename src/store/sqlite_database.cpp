#include "store/sqlite_database.hpp"

#include <cstring>

#include <fmt/format.h>

namespace weir::store::sqlite {
std::string explain(const std::string& path, int code, std::string_view detail, int system_errno) {
  const std::string why =
      system_errno != 0 ? fmt::format("{} ({})", detail, std::strerror(system_errno)) : std::string(detail);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return fmt::format("stores.ledger: the disk of {} is full; make room there", path);
    case SQLITE_READONLY:
      return fmt::format(
          "stores.ledger: {} cannot be written ({}): give this user write access to the file, its folder "
          "and disk, or name another file",
          path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fmt::format("stores.ledger: another process holds {} locked; end its transaction (an open sqlite3 shell?)",
                         path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return fmt::format(
          "stores.ledger: {} is not a sound SQLite file ({}): move it away with its -wal and -shm, weir "
          "makes a new one; `sqlite3 FILE .recover` saves what can still be read",
          path, why);
    case SQLITE_CANTOPEN:
      return fmt::format("stores.ledger: {} cannot be opened ({}): check that its folder is there and writable", path,
                         why);
    default:
      return fmt::format("stores.ledger: {} cannot be read or written: {}", path, why);
  }
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  // Its counting of memory takes a lock per allocation. Too late, and without effect, if SQLite was used before.
  static const int ignored = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(ignored);
  const int flags = (mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);
  if (handle == nullptr) return failure(explain(path, code, "no memory", 0));
  if (code != SQLITE_OK) return std::unexpected(database.error());
  database.set_patience(kPatience);
  return database;
}

Error Database::error() const {
  const int code = error_code();
  // Only for these is the operating system's word the cause; else it is left over from something earlier.
  const bool system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  return Error{explain(path_, code, sqlite3_errmsg(handle_.get()), system ? sqlite3_system_errno(handle_.get()) : 0)};
}

Result<void> Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return std::unexpected(error());
  return {};
}

Result<std::int64_t> Database::number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const int code = statement->step();
  if (code == SQLITE_ROW) return statement->number(0);
  if (code != SQLITE_DONE) return std::unexpected(error());
  return 0;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle,
                         nullptr) != SQLITE_OK) {
    return std::unexpected(error());
  }
  return Statement{handle};
}

}  // namespace weir::store::sqlite
