#include "store/sqlite_parts.hpp"

namespace weir::store::sqlite {

Result<PartScan> PartScan::prepare(Database& database) {
  PartScan scan;
  const std::pair<Statement&, std::string_view> all[] = {
      {scan.calls_,
       "SELECT call, who, ended, user, tags, messages, client_retry, took_us, saved, attempts, target, attempt_ended, "
       "uncached, cache_read, cache_write, output, reasoning, cost FROM call_rows WHERE call >= ? AND call < ?"},
      {scan.attempts_,
       "SELECT target, attempt_ended, uncached, cache_read, cache_write, output, reasoning, cost FROM attempt_rows "
       "WHERE call = ? ORDER BY number"},
  };
  for (const auto& [to, sql] : all) {
    auto statement = database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    to = std::move(*statement);
  }
  return scan;
}

void PartScan::read_call(Part& part) const {
  CallRow ended;
  unpack_call_end(calls_.number(2), ended);
  part.who = calls_.number(1);
  part.outcome = static_cast<std::int64_t>(ended.outcome);
  part.failure = static_cast<std::int64_t>(ended.failure);
  part.user = calls_.number(3);
  part.tags = calls_.text(4);
  Sums& sums = part.sums;
  sums[Sum::calls] = 1;
  sums[Sum::failed_calls] = ended.outcome != Outcome::ok ? 1 : 0;
  sums[Sum::messages] = calls_.number(5);
  sums[Sum::client_retries] = calls_.number(6) > 0 || ended.reask ? 1 : 0;
  sums[Sum::took_us] = calls_.number(7);
  const std::string_view packed = calls_.text(8);
  if (packed.empty()) return;
  const Savings saved = unpack_savings(packed);
  for (std::size_t i = 0; i < saved.by.size(); ++i)
    sums.of[static_cast<std::size_t>(Sum::saved) + i] = saved.by[i].value;
}

void PartScan::add_attempt(const Statement& row, int at, Sums& sums) {
  AttemptRow ended;
  unpack_attempt_end(row.number(at), ended);
  const std::int64_t cost = row.number(at + 6);
  sums[Sum::attempts] += 1;
  sums[Sum::failed_attempts] += ended.failure != Failure::none ? 1 : 0;
  sums[Sum::uncached] += row.number(at + 1);
  sums[Sum::cache_read] += row.number(at + 2);
  sums[Sum::cache_write] += row.number(at + 3);
  sums[Sum::output] += row.number(at + 4);
  sums[Sum::reasoning] += row.number(at + 5);
  sums[Sum::cost] += cost;
  sums[Sum::wasted] += ended.wasted ? cost : 0;
}

Part PartScan::part_of(const Part& call, RowReader& rows, std::int64_t target, std::int64_t ended) {
  AttemptRow attempt;
  unpack_attempt_end(ended, attempt);
  const RowReader::Who& who = rows.who(call.who);
  const RowReader::Target& at = rows.target(target);
  Part part;
  part.user = call.user;
  part.who = call.who;
  part.target = at.model == who[2] && at.provider == who[3] ? 0 : target;
  part.outcome = call.outcome;
  part.failure = static_cast<std::int64_t>(attempt.failure);
  part.tags = call.tags;
  return part;
}

}  // namespace weir::store::sqlite
