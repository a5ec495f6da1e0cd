#pragma once
#include <cstdint>
#include <string_view>
#include <utility>

#include "store/sqlite_coding.hpp"
#include "store/sqlite_database.hpp"
#include "store/sqlite_rows.hpp"
#include "store/sqlite_sums.hpp"

namespace weir::store::sqlite {

/// What a call, or some calls that are alike, add to sums by any dimension. The tries that went elsewhere than the call
/// ended, or failed otherwise, are parts of their own.
struct Part {
  std::int64_t user = 0;     ///< the hash, 0 = none
  std::int64_t who = 0;      ///< of the call
  std::int64_t target = 0;   ///< whose model and provider count instead of those of `who`; 0 = as the call
  std::int64_t outcome = 0;  ///< numbers, as rows have them: a later weir may know more of them
  std::int64_t failure = 0;
  std::string_view tags;
  Sums sums;
};

/// Reads calls as parts, with no text but their tags. Much less work than whole rows.
class PartScan {
 public:
  static Result<PartScan> prepare(Database& database);

  /// Calls `use(key, part)` for the parts of each call with a key in [begin, end), in the order of keys, until it says
  /// false. A part is good during that call. False = an error of the database.
  template <class F>
  bool each(RowReader& rows, std::int64_t begin, std::int64_t end, F&& use);

 private:
  void read_call(Part& part) const;
  /// The try whose ending is column `at` of `row`, its tokens and cost behind it.
  static void add_attempt(const Statement& row, int at, Sums& sums);
  /// Where a try counts; its sums are empty.
  static Part part_of(const Part& call, RowReader& rows, std::int64_t target, std::int64_t ended);

  Statement calls_, attempts_;
};

template <class F>
bool PartScan::each(RowReader& rows, std::int64_t begin, std::int64_t end, F&& use) {
  calls_.bind(0, begin);
  calls_.bind(1, end);
  int code = SQLITE_ROW;
  bool wanted = true;
  while (wanted && (code = calls_.step()) == SQLITE_ROW) {
    const std::int64_t key = calls_.number(0);
    Part call;
    read_call(call);
    const std::int64_t count = calls_.number(9);
    if (count == 1) {
      const std::int64_t target = calls_.number(10);
      call.sums[Sum::price_unknown_calls] = rows.target(target).price_known ? 0 : 1;
      Part attempt = part_of(call, rows, target, calls_.number(11));
      const bool together = attempt.target == 0 && attempt.failure == call.failure;
      add_attempt(calls_, 11, together ? call.sums : attempt.sums);
      wanted = use(key, std::as_const(call)) && (together || use(key, std::as_const(attempt)));
      continue;
    }
    attempts_.bind(0, key);
    int attempt_code = SQLITE_DONE;
    while (count > 1 && (attempt_code = attempts_.step()) == SQLITE_ROW) {
      const std::int64_t target = attempts_.number(0);
      if (!rows.target(target).price_known) call.sums[Sum::price_unknown_calls] = 1;
      Part attempt = part_of(call, rows, target, attempts_.number(1));
      add_attempt(attempts_, 1, attempt.sums);
      wanted = wanted && use(key, std::as_const(attempt));
    }
    attempts_.reset();
    if (attempt_code != SQLITE_DONE) {
      code = attempt_code;
      break;
    }
    wanted = wanted && use(key, std::as_const(call));
  }
  calls_.reset();
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

}  // namespace weir::store::sqlite
