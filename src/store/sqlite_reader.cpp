#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/sqlite_coding.hpp"
#include "store/sqlite_groups.hpp"
#include "store/sqlite_packs.hpp"
#include "store/sqlite_part_groups.hpp"
#include "store/sqlite_rows.hpp"
#include "store/sqlite_schema.hpp"

namespace weir::store {
namespace {

using namespace sqlite;

/// [since, until) as whole hours, which are summed already, and what is left at both ends, which is counted from calls.
struct Span {
  std::int64_t first_hour, end_hour;
  std::vector<std::pair<std::int64_t, std::int64_t>> edges_ms;

  Span(std::int64_t since, std::int64_t until) {
    since = std::clamp<std::int64_t>(since, 0, kKeyTimeMax);
    until = std::clamp<std::int64_t>(until, since, kKeyTimeMax);
    first_hour = (since + kHourMs - 1) / kHourMs;
    end_hour = until / kHourMs;
    if (first_hour >= end_hour) {
      end_hour = first_hour;
      edges_ms.emplace_back(since, until);
      return;
    }
    if (since < first_hour * kHourMs) edges_ms.emplace_back(since, first_hour * kHourMs);
    if (end_hour * kHourMs < until) edges_ms.emplace_back(end_hour * kHourMs, until);
  }
};

/// How a dimension is grouped in SQL; null = it is not in `hours`.
const char* column_of(Dimension dimension) {
  switch (dimension) {
    case Dimension::task:
      return "w.task";
    case Dimension::route:
      return "w.route";
    case Dimension::model:
      return "w.model";
    case Dimension::provider:
      return "w.provider";
    case Dimension::key:
      return "w.key";
    case Dimension::group:
      return "w.grp";
    case Dimension::outcome:
      return "h.outcome";
    case Dimension::failure:
      return "h.failure";
    case Dimension::hour:
      return "h.hour";
    case Dimension::day:
      return "h.hour / 24 * 24";
    case Dimension::week:
      return "(h.hour / 24 - (h.hour / 24 + 3) % 7) * 24";
    case Dimension::user:
    case Dimension::tag:
      return nullptr;
  }
  return nullptr;
}

using UseKey = std::tuple<std::string, std::string, std::string, std::array<std::int64_t, 4>, bool>;
using Uses = std::map<UseKey, TargetSums>;

/// Of an AttemptRow or a RowReader::Target.
UseKey use_key(const auto& target) {
  const Price& price = target.price;
  return {std::string(target.model),
          std::string(target.provider),
          std::string(target.reply_model),
          {price.input.value, price.output.value, price.cache_read.value, price.cache_write.value},
          target.price_known};
}

class SqliteReader final : public LedgerReader {
 public:
  SqliteReader(Database database, RowReader rows) : database_(std::move(database)), rows_(std::move(rows)) {}

  Result<std::vector<SumRow>> sums(const SumQuery& query) override;
  Result<std::vector<ModelUse>> model_uses(std::int64_t since_unix_ms, std::int64_t until_unix_ms) override;
  Result<Period> period(std::int64_t since_unix_ms, std::int64_t until_unix_ms) override;
  Result<LedgerBatch> find_calls(std::string_view id, std::int64_t since_unix_ms, std::size_t calls_max) override;
  Result<LedgerBatch> recent_calls(std::size_t calls_max) override;

 private:
  /// Everything that `use` reads is of one moment, also beside a writer.
  template <class F>
  auto at_one_moment(F&& use) -> decltype(use()) {
    if (auto begun = database_.run("BEGIN"); !begun) return std::unexpected(begun.error());
    auto read = use();
    static_cast<void>(database_.run("COMMIT"));
    return read;
  }
  /// Calls `use(batch, call)` for each call in [since, until); the batch holds that one only.
  template <class F>
  Result<void> each_call(std::int64_t since, std::int64_t until, F&& use);
  Result<void> add_hours(const SumQuery& query, const Span& span, Groups& groups);
  Result<void> add_parts(const SumQuery& query, Groups& groups);
  std::string value_text(Dimension dimension, std::int64_t value);
  Result<std::vector<ModelUse>> uses(std::int64_t since, std::int64_t until);
  Result<std::int64_t> users(std::int64_t since, std::int64_t until);
  bool add_call_at(std::int64_t key, LedgerBatch& batch);
  /// Where the row of this id is; -1 = nowhere.
  Result<std::int64_t> key_of_own(const IdBytes& id);

  Database database_;
  RowReader rows_;
};

template <class F>
Result<void> SqliteReader::each_call(std::int64_t since, std::int64_t until, F&& use) {
  auto scan =
      database_.prepare(fmt::format("SELECT {} FROM call_rows c WHERE c.call >= ? AND c.call < ?", kRowColumns));
  if (!scan) return std::unexpected(scan.error());
  scan->bind(0, key_from_ms(since));
  scan->bind(1, key_from_ms(until));
  LedgerBatch batch;
  int code = SQLITE_ROW;
  while ((code = scan->step()) == SQLITE_ROW) {
    batch.clear();
    if (!rows_.add(*scan, batch, false)) return std::unexpected(database_.error());
    use(std::as_const(batch), std::as_const(batch.calls.front()));
  }
  if (code != SQLITE_DONE) return std::unexpected(database_.error());
  return {};
}

std::string SqliteReader::value_text(Dimension dimension, std::int64_t value) {
  switch (dimension) {
    case Dimension::outcome:
      return outcome_text(value);
    case Dimension::failure:
      return failure_text(value);
    case Dimension::hour:
      return hour_text(value);
    case Dimension::day:
    case Dimension::week:
      return day_text(value);
    default:
      return rows_.name(value);
  }
}

Result<void> SqliteReader::add_hours(const SumQuery& query, const Span& span, Groups& groups) {
  std::vector<std::string> columns;
  for (const Dimension dimension : query.by) columns.emplace_back(column_of(dimension));
  std::string sql = fmt::format("SELECT {}", fmt::join(columns, ","));
  std::string_view rest = kSumColumns;
  for (const char* comma = columns.empty() ? "" : ","; !rest.empty(); comma = ",") {
    const std::string_view column = rest.substr(0, rest.find(','));
    sql += fmt::format("{}sum(h.{})", comma, column);
    rest.remove_prefix(std::min(column.size() + 1, rest.size()));
  }
  sql += " FROM hours h JOIN who w ON w.id = h.who WHERE h.hour >= ? AND h.hour < ?";
  if (!columns.empty()) sql += fmt::format(" GROUP BY {}", fmt::join(columns, ","));
  auto rows = database_.prepare(sql);
  if (!rows) return std::unexpected(rows.error());
  rows->bind(0, span.first_hour);
  rows->bind(1, span.end_hour);
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    std::vector<std::string> by;
    int at = 0;
    for (const Dimension dimension : query.by) by.push_back(value_text(dimension, rows->number(at++)));
    Sums sums;
    for (std::int64_t& sum : sums.of) sum = rows->number(at++);
    groups.at(std::move(by)).add(sums);
  }
  if (code != SQLITE_DONE) return std::unexpected(database_.error());
  return {};
}

Result<void> SqliteReader::add_parts(const SumQuery& query, Groups& groups) {
  if (query.by.size() > PartGroups::kDimensionsMax) {
    return failure(fmt::format("at most {} dimensions", PartGroups::kDimensionsMax));
  }
  auto parts = PackedParts::prepare(database_);
  if (!parts) return std::unexpected(parts.error());
  PartGroups sums(query, rows_);
  const auto read = parts->each(database_, rows_, key_from_ms(query.since_unix_ms), key_from_ms(query.until_unix_ms),
                                [&](std::int64_t hour, const Part& part) { sums.add(hour, part); });
  if (!read) return read;
  sums.into(groups);
  return {};
}

Result<std::vector<SumRow>> SqliteReader::sums(const SumQuery& query) {
  return at_one_moment([&]() -> Result<std::vector<SumRow>> {
    Groups groups(query);
    Span span(query.since_unix_ms, query.until_unix_ms);
    if (std::ranges::all_of(query.by, [](Dimension by) { return column_of(by) != nullptr; })) {
      if (auto added = add_hours(query, span, groups); !added) return std::unexpected(added.error());
    } else {
      if (auto added = add_parts(query, groups); !added) return std::unexpected(added.error());
      return groups.rows();
    }
    for (const auto& [since, until] : span.edges_ms) {
      const auto added = each_call(since, until, [&](const LedgerBatch& batch, const CallRow& call) {
        groups.add(batch, call, call.started_unix_ms / kHourMs);
      });
      if (!added) return std::unexpected(added.error());
    }
    return groups.rows();
  });
}

Result<std::vector<ModelUse>> SqliteReader::uses(std::int64_t since, std::int64_t until) {
  Uses sums;
  const Span span(since, until);
  auto rows = database_.prepare(
      "SELECT target, sum(calls), sum(attempts), sum(uncached), sum(cache_read), sum(cache_write), sum(output), "
      "sum(reasoning), sum(cost) FROM target_hours WHERE hour >= ? AND hour < ? GROUP BY target");
  if (!rows) return std::unexpected(rows.error());
  rows->bind(0, span.first_hour);
  rows->bind(1, span.end_hour);
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    const RowReader::Target& target = rows_.target(rows->number(0));
    TargetSums& sum = sums[use_key(target)];
    int at = 1;
    for (std::int64_t* part : {&sum.calls, &sum.attempts, &sum.uncached, &sum.cache_read, &sum.cache_write, &sum.output,
                               &sum.reasoning, &sum.cost}) {
      *part += rows->number(at++);
    }
  }
  if (code != SQLITE_DONE) return std::unexpected(database_.error());
  for (const auto& [edge_since, edge_until] : span.edges_ms) {
    const auto added = each_call(edge_since, edge_until, [&](const LedgerBatch& batch, const CallRow& call) {
      const auto attempts = batch.attempts_of(call);
      for (const AttemptRow& attempt : attempts) {
        sums[use_key(attempt)].add_attempt(attempt, &attempt == &attempts.back());
      }
    });
    if (!added) return std::unexpected(added.error());
  }
  std::vector<ModelUse> uses;
  for (const auto& [key, sum] : sums) {
    const auto& [model, provider, reply_model, price, known] = key;
    uses.push_back({model,
                    provider,
                    reply_model,
                    {{price[0]}, {price[1]}, {price[2]}, {price[3]}},
                    known,
                    sum.calls,
                    sum.attempts,
                    sum.uncached,
                    sum.cache_read,
                    sum.cache_write,
                    sum.output,
                    sum.reasoning,
                    {sum.cost}});
  }
  std::ranges::sort(uses, [](const ModelUse& a, const ModelUse& b) {
    return std::tie(b.cost.value, a.model, a.provider, a.reply_model) <
           std::tie(a.cost.value, b.model, b.provider, b.reply_model);
  });
  return uses;
}

Result<std::vector<ModelUse>> SqliteReader::model_uses(std::int64_t since_unix_ms, std::int64_t until_unix_ms) {
  return at_one_moment([&] { return uses(since_unix_ms, until_unix_ms); });
}

Result<std::int64_t> SqliteReader::users(std::int64_t since, std::int64_t until) {
  const Span span(since, until);
  std::unordered_set<std::int64_t> seen;
  auto rows = database_.prepare("SELECT DISTINCT user FROM user_hours WHERE hour >= ? AND hour < ?");
  if (!rows) return std::unexpected(rows.error());
  rows->bind(0, span.first_hour);
  rows->bind(1, span.end_hour);
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) seen.insert(rows->number(0));
  if (code != SQLITE_DONE) return std::unexpected(database_.error());
  for (const auto& [edge_since, edge_until] : span.edges_ms) {
    const auto added = each_call(edge_since, edge_until, [&](const LedgerBatch&, const CallRow& call) {
      seen.insert(call.user.empty() ? 0 : user_hash(call.user));
    });
    if (!added) return std::unexpected(added.error());
  }
  return static_cast<std::int64_t>(seen.size());
}

Result<Period> SqliteReader::period(std::int64_t since_unix_ms, std::int64_t until_unix_ms) {
  SumQuery all;
  all.since_unix_ms = since_unix_ms;
  all.until_unix_ms = until_unix_ms;
  const auto total = sums(all);
  if (!total) return std::unexpected(total.error());
  return at_one_moment([&]() -> Result<Period> {
    const auto different = users(since_unix_ms, until_unix_ms);
    if (!different) return std::unexpected(different.error());
    auto models = uses(since_unix_ms, until_unix_ms);
    if (!models) return std::unexpected(models.error());
    const SumRow& sum = total->front();
    return Period{sum.calls, *different, sum.attempts, sum.client_retries, sum.messages, std::move(*models)};
  });
}

bool SqliteReader::add_call_at(std::int64_t key, LedgerBatch& batch) {
  auto find = database_.prepare(fmt::format("SELECT {} FROM call_rows c WHERE c.call = ?", kRowColumns));
  if (!find) return false;
  find->bind(0, key);
  return find->step() == SQLITE_ROW && rows_.add(*find, batch, true);
}

Result<std::int64_t> SqliteReader::key_of_own(const IdBytes& id) {
  auto find = database_.prepare("SELECT id FROM call_rows WHERE call = ?");
  if (!find) return std::unexpected(find.error());
  for (std::int64_t key = key_of(id);; ++key) {  // as it was written: the next free place
    find->bind(0, key);
    const int code = find->step();
    const bool same =
        code == SQLITE_ROW && find->text(0) == std::string_view{reinterpret_cast<const char*>(id.data()), id.size()};
    find->reset();
    if (same) return key;
    if (code == SQLITE_DONE) return -1;
    if (code != SQLITE_ROW) return std::unexpected(database_.error());
  }
}

Result<LedgerBatch> SqliteReader::find_calls(std::string_view id, std::int64_t since_unix_ms, std::size_t calls_max) {
  return at_one_moment([&]() -> Result<LedgerBatch> {
    std::vector<std::int64_t> keys;
    if (IdBytes bytes{}; parse_id(id, bytes)) {
      const auto own = key_of_own(bytes);
      if (!own) return std::unexpected(own.error());
      if (*own >= 0) keys.push_back(*own);
    }
    auto scan =
        database_.prepare("SELECT call FROM call_rows WHERE call >= ? AND request_id = ? ORDER BY call DESC LIMIT ?");
    if (!scan) return std::unexpected(scan.error());
    scan->bind(0, key_from_ms(since_unix_ms));
    scan->bind_text(1, id);
    scan->bind(2, static_cast<std::int64_t>(calls_max));
    int code = SQLITE_DONE;
    while (keys.size() < calls_max && (code = scan->step()) == SQLITE_ROW) {
      if (std::ranges::find(keys, scan->number(0)) == keys.end()) keys.push_back(scan->number(0));
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) return std::unexpected(database_.error());
    scan->reset();
    std::ranges::sort(keys, std::greater<>());
    LedgerBatch batch;
    for (const std::int64_t key : keys) {
      if (batch.calls.size() < calls_max && !add_call_at(key, batch)) return std::unexpected(database_.error());
    }
    return batch;
  });
}

Result<LedgerBatch> SqliteReader::recent_calls(std::size_t calls_max) {
  return at_one_moment([&]() -> Result<LedgerBatch> {
    auto scan = database_.prepare(fmt::format("SELECT {} FROM call_rows c ORDER BY c.call DESC LIMIT ?", kRowColumns));
    if (!scan) return std::unexpected(scan.error());
    scan->bind(0, static_cast<std::int64_t>(calls_max));
    LedgerBatch batch;
    int code = SQLITE_ROW;
    while ((code = scan->step()) == SQLITE_ROW) {
      if (!rows_.add(*scan, batch, true)) break;
    }
    if (code != SQLITE_DONE) return std::unexpected(database_.error());
    return batch;
  });
}

}  // namespace

Result<std::unique_ptr<LedgerReader>> open_sqlite_reader(const std::string& path) {
  auto database = open_for_reading(path);
  if (!database) return std::unexpected(database.error());
  auto rows = RowReader::prepare(*database);
  if (!rows) return std::unexpected(rows.error());
  return std::make_unique<SqliteReader>(std::move(*database), std::move(*rows));
}

}  // namespace weir::store
