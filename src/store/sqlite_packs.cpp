#include "store/sqlite_packs.hpp"

#include <algorithm>
#include <utility>

namespace weir::store::sqlite {
namespace {

constexpr std::int64_t kSettledMs = 15 * 60'000;  // longer than nearly any call takes: its key is the time it began
constexpr int kCallsMax = 65'536;                 // one transaction of some 40 ms; a blob of 2 MB at most
constexpr std::int64_t kHourKeys = kHourMs << kKeyRandomBits;

std::int64_t hour_of_key(std::int64_t key) {
  return ms_of_key(key) / kHourMs;
}

}  // namespace

Result<Packs> Packs::prepare(Database& database) {
  Packs packs;
  const std::pair<Statement&, std::string_view> all[] = {
      {packs.until_, "SELECT until FROM packs ORDER BY begin DESC LIMIT 1"},
      {packs.outdate_,
       "UPDATE packs SET bytes = NULL WHERE bytes IS NOT NULL AND begin = "
       "(SELECT begin FROM packs WHERE begin <= ? ORDER BY begin DESC LIMIT 1)"},
      {packs.find_outdated_, "SELECT begin, until FROM packs WHERE bytes IS NULL LIMIT 1"},
      {packs.remove_, "DELETE FROM packs WHERE begin = ?"},
      {packs.add_, "INSERT INTO packs(begin, until, hour, bytes) VALUES(?,?,?,?)"},
      {packs.begin_, "BEGIN IMMEDIATE"},
      {packs.commit_, "COMMIT"},
  };
  for (const auto& [to, sql] : all) {
    auto statement = database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    to = std::move(*statement);
  }
  auto scan = PartScan::prepare(database);
  if (!scan) return std::unexpected(scan.error());
  packs.scan_ = std::move(*scan);
  auto rows = RowReader::prepare(database);
  if (!rows) return std::unexpected(rows.error());
  packs.rows_ = std::move(*rows);
  return packs;
}

bool Packs::begin() {
  late_.clear();
  const int code = until_.step();
  packed_until_ = code == SQLITE_ROW ? until_.number(0) : 0;
  until_.reset();
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool Packs::outdate_late() {
  // Those of one second are next to one another: mostly one pack.
  std::ranges::sort(late_);
  for (const std::int64_t key : late_) {
    outdate_.bind(0, key);
    if (!outdate_.run()) return false;
  }
  late_.clear();
  return true;
}

bool Packs::make_one(std::int64_t begin, std::int64_t end, bool may_wait, std::int64_t& until) {
  PackWriter pack;
  std::int64_t hour = hour_of_key(begin);
  std::int64_t last = -1;
  int calls = 0;
  until = end;
  const bool read = scan_.each(rows_, begin, end, [&](std::int64_t key, const Part& part) {
    if (last < 0) hour = hour_of_key(key);
    if (hour_of_key(key) != hour || (calls == kCallsMax && key != last)) {
      until = key;
      return false;
    }
    calls += key != last ? 1 : 0;
    last = key;
    pack.add(part);
    return true;
  });
  if (!read) return false;
  if (last >= 0 && hour_of_key(until) != hour) until = (hour + 1) * kHourKeys;
  // A new hour waits for its end, or for enough calls that a pack is worth it.
  if (may_wait && until == end && (last < 0 || hour_of_key(end) == hour)) {
    until = begin;
    return true;
  }
  add_.bind(0, begin);
  add_.bind(1, until);
  add_.bind(2, hour);
  const std::string bytes = pack.write();
  add_.bind_blob(3, bytes);
  return add_.run();
}

bool Packs::make(std::int64_t now_unix_ms, TimePoint deadline) {
  const std::int64_t settled = key_from_ms(now_unix_ms - kSettledMs);
  bool more = true;
  while (more && Clock::now() < deadline) {
    if (!begin_.run()) return false;
    bool done = true;
    std::int64_t until = 0;
    const int code = find_outdated_.step();
    const std::int64_t from = find_outdated_.number(0);
    const std::int64_t to = find_outdated_.number(1);
    find_outdated_.reset();
    if (code == SQLITE_ROW) {
      remove_.bind(0, from);
      done = remove_.run();
      for (std::int64_t at = from; done && at < to; at = until) done = make_one(at, to, false, until);
    } else if (code == SQLITE_DONE && begin()) {
      const std::int64_t at = packed_until_;
      more = at < settled;
      if (more) {
        done = make_one(at, settled, true, until);
        more = done && until > at;
      }
    } else {
      done = false;
    }
    if (!done || !commit_.run()) return false;
  }
  return true;
}

Result<PackedParts> PackedParts::prepare(Database& database) {
  PackedParts parts;
  auto scan = PartScan::prepare(database);
  if (!scan) return std::unexpected(scan.error());
  parts.scan_ = std::move(*scan);
  const auto there = database.number("SELECT count(*) FROM sqlite_master WHERE name = 'packs'");
  if (!there) return std::unexpected(there.error());
  parts.has_packs_ = *there > 0;
  if (!parts.has_packs_) return parts;
  auto packs = database.prepare(
      "SELECT begin, until, hour, bytes FROM packs WHERE begin >= coalesce((SELECT begin FROM packs WHERE begin <= ?1 "
      "ORDER BY begin DESC LIMIT 1), 0) AND begin < ?2 ORDER BY begin");
  if (!packs) return std::unexpected(packs.error());
  parts.packs_ = std::move(*packs);
  return parts;
}

}  // namespace weir::store::sqlite
