#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include <weir/base/result.hpp>

namespace weir::store::sqlite {

/// What went wrong with the ledger's file, as a sentence that names `stores.ledger` and says what to do.
/// `code`: SQLite's, extended.
std::string explain(const std::string& path, int code, std::string_view detail, int system_errno);

class Statement;

/// One connection to one file. Thread: one at a time (SQLITE_OPEN_NOMUTEX). Statements end before it.
class Database {
 public:
  enum class Mode : std::uint8_t { read, write };

  static Result<Database> open(const std::string& path, Mode mode);

  /// How long statements wait for another process's lock: longer than any transaction of a second writer (hot
  /// restart), short enough that the queue behind does not grow.
  static constexpr std::chrono::milliseconds kPatience{1'000};
  void set_patience(std::chrono::milliseconds time) {
    sqlite3_busy_timeout(handle_.get(), static_cast<int>(time.count()));
  }

  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return path_; }

  /// Statements without results, one after the other.
  Result<void> run(const char* sql);
  /// The first column of the first row, 0 if there is none.
  Result<std::int64_t> number(const char* sql);
  Result<Statement> prepare(std::string_view sql);

  /// The last error on this connection.
  Error error() const;
  int error_code() const { return sqlite3_extended_errcode(handle_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

/// A prepared statement that is kept. Columns and parameters count from 0. Texts that are bound or read are not copied:
/// bound ones stay until the next reset, read ones are good until the next step.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  void bind(int at, std::int64_t value) { sqlite3_bind_int64(handle_.get(), at + 1, value); }
  void bind_null(int at) { sqlite3_bind_null(handle_.get(), at + 1); }
  void bind_text(int at, std::string_view text) {  // an empty view may have no address, which SQLite takes for NULL
    sqlite3_bind_text64(handle_.get(), at + 1, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void bind_text_or_null(int at, std::string_view text) { text.empty() ? bind_null(at) : bind_text(at, text); }
  void bind_blob(int at, std::string_view bytes) {
    sqlite3_bind_blob64(handle_.get(), at + 1, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  }

  /// SQLITE_ROW, SQLITE_DONE or an error, which is also the connection's last.
  int step() { return sqlite3_step(handle_.get()); }
  void reset() { sqlite3_reset(handle_.get()); }
  /// For statements without rows: steps once and resets. False = an error.
  bool run() {
    const bool done = step() == SQLITE_DONE;
    reset();
    return done;
  }

  std::int64_t number(int at) const { return sqlite3_column_int64(handle_.get(), at); }
  bool is_null(int at) const { return sqlite3_column_type(handle_.get(), at) == SQLITE_NULL; }
  std::string_view text(int at) const {
    const auto* begin = static_cast<const char*>(sqlite3_column_blob(handle_.get(), at));
    return {begin, begin == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), at))};
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace weir::store::sqlite
