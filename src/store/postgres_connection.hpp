#pragma once
#include <charconv>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/postgres_library.hpp"

#include <weir/base/clock.hpp>
#include <weir/base/result.hpp>

namespace weir::store {

/// Why the database did not do as asked. The message has neither the URL nor a row's contents.
struct PostgresError {
  std::string message;
  std::string sqlstate;         ///< empty = the database did not answer
  bool needs_password = false;  ///< it asked for one and the URL has none

  /// The rows themselves were refused (data, constraints, sizes): the same rows will be refused again.
  bool rows_refused() const;
  /// Another connection may be needed to hear anything.
  bool connection_lost() const;
  /// Somebody must change the settings or the database before this works; waiting does not help.
  bool needs_hands() const;
};
template <class T>
using PostgresResult = Result<T, PostgresError>;

/// What a statement gave back, as text.
class PostgresRows {
 public:
  PostgresRows(const PostgresLibrary& library, PGresult* result) : library_(&library), result_(result, library.clear) {}

  int count() const { return library_->row_count(result_.get()); }
  /// Empty for NULL. Good while the rows live.
  std::string_view text(int row, int column) const {
    return {library_->value(result_.get(), row, column),
            static_cast<std::size_t>(library_->length(result_.get(), row, column))};
  }
  /// 0 for NULL.
  std::int64_t number(int row, int column) const {
    const std::string_view digits = text(row, column);
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  bool boolean(int row, int column) const { return text(row, column) == "t"; }
  PGresult* raw() const { return result_.get(); }

 private:
  const PostgresLibrary* library_;
  std::unique_ptr<PGresult, decltype(&::PQclear)> result_;
};

/// Checks that `url` is one, without connecting. The result names the place without user and password:
/// "host:5432/weir".
Result<std::string> postgres_place(const PostgresLibrary& library, const std::string& url);

/// One connection. Nothing waits past its deadline, also when the database stands still without closing: what it was
/// asked then may yet be done. After an error without sqlstate the connection is of no more use.
/// Thread: one at a time.
class PostgresConnection {
 public:
  static PostgresResult<PostgresConnection> open(const PostgresLibrary& library, const std::string& url,
                                                 TimePoint deadline);

  /// One statement, with parameters $1, $2, … as text.
  PostgresResult<PostgresRows> ask(const std::string& sql, std::span<const char* const> parameters, TimePoint deadline);
  PostgresResult<PostgresRows> ask(const std::string& sql, TimePoint deadline) { return ask(sql, {}, deadline); }

 private:
  PostgresConnection(const PostgresLibrary& library, PGconn* connection)
      : library_(&library), connection_(connection, library.finish) {}
  PostgresError lost(std::string_view reason) const;

  const PostgresLibrary* library_;
  std::unique_ptr<PGconn, decltype(&::PQfinish)> connection_;
};

}  // namespace weir::store
