#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include <weir/base/clock.hpp>
#include "store/sqlite_pack.hpp"

namespace weir::store::sqlite {

/// The table `packs`, kept by the ledger's writer: parts of all calls up to some time ago, so that reports by user or
/// tag need not read each call.
///
/// Invariant: packs follow one another without a gap from key 0 on. A pack holds exactly the calls with its keys, all
/// of one hour, or its bytes are NULL: then it is out of date, and who reads it reads the calls. So a call that comes
/// late (it took long, another process wrote it, the clock went back) costs a pack its bytes in the call's own
/// transaction, and upkeep makes it anew.
class Packs {
 public:
  static Result<Packs> prepare(Database& database);

  /// At the begin of a transaction: how far packs go. False = an error of the database, here and below.
  bool begin();
  /// A call was written. Nearly always one comparison.
  void note(std::int64_t key) {
    if (key < packed_until_) late_.push_back(key);
  }
  /// Before the transaction's end.
  bool outdate_late();

  /// Makes packs of calls that are older than some minutes, each in a transaction of its own, until all are made or the
  /// time is over.
  bool make(std::int64_t now_unix_ms, TimePoint deadline);

 private:
  /// One pack from `begin` on, at most up to `end`; `until` is where it ended, `begin` if it is better made later.
  bool make_one(std::int64_t begin, std::int64_t end, bool may_wait, std::int64_t& until);

  Statement until_, outdate_, find_outdated_, remove_, add_, begin_, commit_;
  PartScan scan_;
  RowReader rows_;
  std::int64_t packed_until_ = 0;
  std::vector<std::int64_t> late_;
};

/// Gives the parts of all calls with keys in [begin, end), and the hour they count in, from packs where there are, else
/// from calls. `use(hour, part)`. An error names the file.
class PackedParts {
 public:
  static Result<PackedParts> prepare(Database& database);

  template <class F>
  Result<void> each(Database& database, RowReader& rows, std::int64_t begin, std::int64_t end, F&& use);

 private:
  PartScan scan_;
  Statement packs_;  ///< not there in a file that no weir of this version has written to
  bool has_packs_ = false;
};

template <class F>
Result<void> PackedParts::each(Database& database, RowReader& rows, std::int64_t begin, std::int64_t end, F&& use) {
  const auto from_calls = [&](std::int64_t from, std::int64_t to) {
    return from >= to || scan_.each(rows, from, to, [&](std::int64_t key, const Part& part) {
      use(ms_of_key(key) / kHourMs, part);
      return true;
    });
  };
  int code = has_packs_ ? SQLITE_ROW : SQLITE_DONE;
  if (has_packs_) {
    packs_.bind(0, begin);
    packs_.bind(1, end);
  }
  while (has_packs_ && begin < end && (code = packs_.step()) == SQLITE_ROW) {
    const std::int64_t first = packs_.number(0);
    const std::int64_t until = packs_.number(1);
    if (until <= begin) continue;
    bool read = true;
    if (first >= begin && until <= end && !packs_.is_null(3)) {
      PackReader pack(packs_.text(3));
      Part part;
      while (pack.next(part)) use(packs_.number(2), std::as_const(part));
      if (!pack.sound()) {
        packs_.reset();
        return failure(explain(database.path(), SQLITE_CORRUPT, "table packs", 0));
      }
    } else {
      read = from_calls(begin, std::min(until, end));
    }
    if (!read) {
      code = SQLITE_ERROR;
      break;
    }
    begin = std::min(until, end);
  }
  if (has_packs_) packs_.reset();
  if ((code != SQLITE_DONE && code != SQLITE_ROW) || !from_calls(begin, end)) return std::unexpected(database.error());
  return {};
}

}  // namespace weir::store::sqlite
