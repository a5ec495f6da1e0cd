#include "store/postgres_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "store/postgres_schema.hpp"
#include "store/postgres_sql.hpp"

namespace weir::store {
namespace {

constexpr Duration kConnectWithin = std::chrono::seconds(5);
constexpr Duration kAnswerWithin = std::chrono::minutes(5);  // a report by user over a year of calls
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

std::string range(std::string_view column, std::int64_t since, std::int64_t until) {
  return fmt::format("({0} >= {1} AND {0} < {2})", column, since, until);
}

/// The begin of its hour or day.
std::int64_t floor_of(std::int64_t unix_ms, std::int64_t unit_ms) {
  return unix_ms - (unix_ms % unit_ms + unit_ms) % unit_ms;
}

/// Which sums have all that a query wants.
enum class Sums : std::uint8_t { by_hour, by_user_and_day, none };
Sums sums_for(const SumQuery& query) {
  const auto asks = [&](auto... dimensions) {
    return std::ranges::any_of(query.by, [&](Dimension by) { return ((by == dimensions) || ...); });
  };
  if (!asks(Dimension::user, Dimension::tag)) return Sums::by_hour;
  return asks(Dimension::tag, Dimension::task, Dimension::route, Dimension::provider, Dimension::key, Dimension::group,
              Dimension::outcome, Dimension::failure, Dimension::hour)
             ? Sums::none
             : Sums::by_user_and_day;
}

/// As SQL over the columns of postgres_parts(). The tag's name is $1.
std::string expression_of(Dimension dimension) {
  const auto time = [](std::string_view unit, std::string_view format) {
    return fmt::format("to_char(date_trunc('{}', to_timestamp(started_ms / 1000) AT TIME ZONE 'UTC'), '{}')", unit,
                       format);
  };
  switch (dimension) {
    case Dimension::task:
      return "task";
    case Dimension::route:
      return "route";
    case Dimension::model:
      return "model";
    case Dimension::provider:
      return "provider";
    case Dimension::key:
      return "key_name";
    case Dimension::group:
      return "group_name";
    case Dimension::outcome:
      return "outcome";
    case Dimension::failure:
      return "failure";
    case Dimension::hour:
      return time("hour", R"(YYYY-MM-DD"T"HH24:MI"Z")");
    case Dimension::day:
      return time("day", "YYYY-MM-DD");
    case Dimension::week:
      return time("week", "YYYY-MM-DD");
    case Dimension::user:
      return std::string(kPostgresUser);
    case Dimension::tag:
      return "split_part(split_part(',' || tags, ',' || $1::text || '=', 2), ',', 1)";
  }
  return "''";
}

SumRow sum_row_of(const PostgresRows& rows, int row, std::size_t dimensions) {
  SumRow sums;
  for (std::size_t i = 0; i < dimensions; ++i) sums.by.emplace_back(rows.text(row, static_cast<int>(i)));
  // The order of postgres_sum_columns().
  int column = static_cast<int>(dimensions);
  for (std::int64_t* const sum :
       {&sums.calls, &sums.failed_calls, &sums.client_retries, &sums.attempts, &sums.failed_attempts, &sums.uncached,
        &sums.cache_read, &sums.cache_write, &sums.output, &sums.reasoning, &sums.messages, &sums.took_us,
        &sums.cost.value, &sums.wasted.value, &sums.price_unknown_calls}) {
    *sum = rows.number(row, column++);
  }
  for (NanoDollars& saved : sums.saved.by) saved.value = rows.number(row, column++);
  return sums;
}

}  // namespace

Result<std::unique_ptr<LedgerReader>> open_postgres_reader(const std::string& url) {
  return PostgresReader::open(url);
}

Result<std::unique_ptr<PostgresReader>> PostgresReader::open(const std::string& url) {
  const auto library = postgres_library();
  if (!library) return std::unexpected(library.error());
  auto place = postgres_place(**library, url);
  if (!place) return std::unexpected(place.error());
  std::unique_ptr<PostgresReader> reader(new PostgresReader(**library, url, std::move(*place)));
  if (const auto connected = reader->connect(); !connected) return reader->says(connected.error());
  return reader;
}

PostgresResult<void> PostgresReader::connect() {
  const TimePoint deadline = Clock::now() + kConnectWithin;
  auto made = PostgresConnection::open(*library_, url_, deadline);
  if (!made) return std::unexpected(made.error());
  const auto version = check_postgres_schema(*made, deadline);
  if (!version) return std::unexpected(version.error());
  version_ = *version;
  rolled_since_ms_ = std::numeric_limits<std::int64_t>::max();
  if (version_ >= 3) {
    const auto since = made->ask("SELECT max(rolled_since_ms) FROM weir_schema", deadline);
    if (!since) return std::unexpected(since.error());
    rolled_since_ms_ = since->number(0, 0);
  }
  connection_.emplace(std::move(*made));
  return {};
}

std::unexpected<Error> PostgresReader::says(const PostgresError& error) const {
  return failure(fmt::format("stores.ledger: PostgreSQL at {}: {}", place_, error.message));
}

Result<PostgresRows> PostgresReader::ask(const std::string& sql, std::span<const char* const> parameters) {
  for (const bool again : {true, false}) {
    const bool used_before = connection_.has_value();
    if (!used_before) {
      if (const auto connected = connect(); !connected) return says(connected.error());
    }
    auto rows = connection_->ask(sql, parameters, Clock::now() + kAnswerWithin);
    if (rows) return std::move(*rows);
    if (rows.error().connection_lost()) connection_.reset();
    if (connection_ || !used_before || !again) return says(rows.error());
  }
  return says({});
}

std::string PostgresReader::Rolled::whole(std::string_view column) const {
  return range(column, begin, end);
}

std::string PostgresReader::Rolled::ends(std::string_view column) const {
  return fmt::format("({} OR {})", range(column, since, begin), range(column, std::min(end, until), until));
}

Result<PostgresReader::Rolled> PostgresReader::rolled(std::int64_t since, std::int64_t until, std::int64_t unit_ms,
                                                      std::int64_t from) {
  const Rolled none{since, until, until, until};
  const std::int64_t first = std::max(since, from);
  if (first >= until) return none;
  const std::int64_t begin = floor_of(first, unit_ms) + (floor_of(first, unit_ms) == first ? 0 : unit_ms);
  std::int64_t end = floor_of(until, unit_ms);
  // Mostly `until` is now, and its hour is inside as well, because nothing is behind.
  if (end != until) {
    const auto behind = ask(
        fmt::format("SELECT EXISTS (SELECT 1 FROM weir_calls WHERE {})", range("started_ms", until, end + unit_ms)));
    if (!behind) return std::unexpected(behind.error());
    if (!behind->boolean(0, 0)) end += unit_ms;
  }
  return begin < end ? Rolled{since, until, begin, end} : none;
}

Result<std::vector<SumRow>> PostgresReader::sums(const SumQuery& query) {
  const std::int64_t since = query.since_unix_ms;
  const std::int64_t until = std::max(query.until_unix_ms, since);
  const Sums kind = sums_for(query);
  const bool tag = std::ranges::find(query.by, Dimension::tag) != query.by.end();
  auto part = Result<Rolled>(Rolled{since, until, until, until});
  if (kind == Sums::by_hour) part = rolled(since, until, kHourMs, std::numeric_limits<std::int64_t>::min());
  if (kind == Sums::by_user_and_day) part = rolled(since, until, kDayMs, rolled_since_ms_);
  if (!part) return std::unexpected(part.error());

  std::string by;
  std::string order;
  for (std::size_t i = 0; i < query.by.size(); ++i) {
    by += fmt::format("{}{}", i == 0 ? "" : ", ", expression_of(query.by[i]));
    order += fmt::format("{}{}", i == 0 ? "" : ", ", i + 1);
  }
  const std::string sums = postgres_sums();
  std::string sql = fmt::format("SELECT {}{} FROM (", by, query.by.empty() ? sums.substr(2) : sums);
  if (part->begin < part->end && kind == Sums::by_hour) {
    sql += fmt::format(
        "SELECT hour_ms AS started_ms, task, route, model, provider, key_name, group_name, outcome, failure, "
        "''::text AS user_name, ''::text AS tags{} FROM weir_hours WHERE {} UNION ALL",
        postgres_sum_columns(), part->whole("hour_ms"));
  } else if (part->begin < part->end) {
    sql += fmt::format(
        "SELECT day_ms AS started_ms, '' AS task, '' AS route, model, '' AS provider, '' AS key_name, '' AS "
        "group_name, "
        "'' AS outcome, '' AS failure, user_name, ''::text AS tags{} FROM weir_user_days WHERE {} UNION ALL",
        postgres_sum_columns(), part->whole("day_ms"));
  }
  sql += postgres_parts({"weir_calls c WHERE " + part->ends("c.started_ms"),
                         "weir_attempts a JOIN weir_calls c ON c.id = a.call_id WHERE " + part->ends("a.started_ms"),
                         "weir_savings s JOIN weir_calls c ON c.id = s.call_id WHERE " + part->ends("s.started_ms")},
                        reask());
  sql += ") x";
  if (!query.by.empty()) sql += fmt::format(" GROUP BY {0} ORDER BY sum(cost) DESC, {0}", order);

  const char* const parameters[] = {query.tag.c_str()};
  const auto rows = ask(sql, std::span(parameters).first(tag ? 1 : 0));
  if (!rows) return std::unexpected(rows.error());
  std::vector<SumRow> found;
  for (int row = 0; row < rows->count(); ++row) found.push_back(sum_row_of(*rows, row, query.by.size()));
  return found;
}

Result<std::vector<ModelUse>> PostgresReader::model_uses(std::int64_t since_unix_ms, std::int64_t until_unix_ms) {
  const auto part = rolled(since_unix_ms, std::max(until_unix_ms, since_unix_ms), kHourMs, rolled_since_ms_);
  if (!part) return std::unexpected(part.error());
  std::string from = fmt::format(
      "SELECT model, provider, {} AS reply_model, price_known, price_input, price_output, price_cache_read, "
      "price_cache_write, last::int::bigint AS calls, 1::bigint AS attempts, uncached, cache_read, cache_write, "
      "output - reasoning AS output, reasoning, cost FROM weir_attempts WHERE {}",
      kPostgresReplyModel, part->ends("started_ms"));
  if (part->begin < part->end) {
    from += fmt::format(
        " UNION ALL SELECT model, provider, reply_model, price_known, price_input, price_output, price_cache_read, "
        "price_cache_write, calls, attempts, uncached, cache_read, cache_write, output, reasoning, cost "
        "FROM weir_target_hours WHERE {}",
        part->whole("hour_ms"));
  }
  const auto rows = ask(fmt::format(
      "SELECT model, provider, reply_model, price_known, price_input, price_output, price_cache_read, "
      "price_cache_write, sum(calls)::bigint, sum(attempts)::bigint, sum(uncached)::bigint, sum(cache_read)::bigint, "
      "sum(cache_write)::bigint, sum(output)::bigint, sum(reasoning)::bigint, sum(cost)::bigint FROM ({}) x "
      "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY sum(cost) DESC, 1, 2, 3, 4, 5, 6, 7, 8",
      from));
  if (!rows) return std::unexpected(rows.error());
  std::vector<ModelUse> uses;
  for (int row = 0; row < rows->count(); ++row) {
    ModelUse& use = uses.emplace_back();
    use.model = rows->text(row, 0);
    use.provider = rows->text(row, 1);
    use.reply_model = rows->text(row, 2);
    use.price_known = rows->boolean(row, 3);
    int column = 4;
    for (std::int64_t* const value :
         {&use.price.input.value, &use.price.output.value, &use.price.cache_read.value, &use.price.cache_write.value,
          &use.calls, &use.attempts, &use.uncached, &use.cache_read, &use.cache_write, &use.output, &use.reasoning,
          &use.cost.value}) {
      *value = rows->number(row, column++);
    }
  }
  return uses;
}

Result<Period> PostgresReader::period(std::int64_t since_unix_ms, std::int64_t until_unix_ms) {
  SumQuery all;
  all.since_unix_ms = since_unix_ms;
  all.until_unix_ms = until_unix_ms;
  const auto total = sums(all);
  if (!total) return std::unexpected(total.error());
  const auto part = rolled(since_unix_ms, std::max(until_unix_ms, since_unix_ms), kDayMs, rolled_since_ms_);
  if (!part) return std::unexpected(part.error());
  std::string users =
      fmt::format("SELECT DISTINCT {} FROM weir_calls WHERE {}", kPostgresUser, part->ends("started_ms"));
  if (part->begin < part->end) {
    users += fmt::format(" UNION SELECT user_name FROM weir_user_days WHERE {}", part->whole("day_ms"));
  }
  const auto different = ask(fmt::format("SELECT count(*) FROM ({}) x", users));
  if (!different) return std::unexpected(different.error());
  auto models = model_uses(since_unix_ms, until_unix_ms);
  if (!models) return std::unexpected(models.error());
  const SumRow& sum = total->front();
  Period period;
  period.calls = sum.calls;
  period.users = different->number(0, 0);
  period.client_retries = sum.client_retries;
  period.messages = sum.messages;
  period.attempts = sum.attempts;
  period.models = std::move(*models);
  return period;
}

}  // namespace weir::store
