#include "store/postgres_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "store/postgres_schema.hpp"
#include "store/postgres_sql.hpp"

namespace weir::store {
namespace {

constexpr Duration kConnectWithin = std::chrono::seconds(5);
constexpr Duration kAnswerWithin = std::chrono::minutes(5);  // a report by user over a year of calls
constexpr std::int64_t kHourMs = 3'600'000;

std::string range(std::string_view column, std::int64_t since, std::int64_t until) {
  return fmt::format("({0} >= {1} AND {0} < {2})", column, since, until);
}

std::int64_t hour_of(std::int64_t unix_ms) {
  return unix_ms - (unix_ms % kHourMs + kHourMs) % kHourMs;
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
      return "user_name";
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
  if (auto checked = check_postgres_schema(*made, deadline); !checked) return checked;
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

Result<bool> PostgresReader::any_call(std::int64_t since_unix_ms, std::int64_t until_unix_ms) {
  const auto rows = ask(fmt::format("SELECT EXISTS (SELECT 1 FROM weir_calls WHERE {})",
                                    range("started_ms", since_unix_ms, until_unix_ms)));
  if (!rows) return std::unexpected(rows.error());
  return rows->boolean(0, 0);
}

Result<std::vector<SumRow>> PostgresReader::sums(const SumQuery& query) {
  const std::int64_t since = query.since_unix_ms;
  const std::int64_t until = std::max(query.until_unix_ms, since);
  bool whole_hours = true;
  bool tag = false;
  for (const Dimension dimension : query.by) {
    whole_hours = whole_hours && dimension != Dimension::user && dimension != Dimension::tag;
    tag = tag || dimension == Dimension::tag;
  }
  // Hours that lie wholly inside are read from weir_hours, the ends of the range from the calls themselves.
  std::int64_t hours_begin = hour_of(since) + (hour_of(since) == since ? 0 : kHourMs);
  std::int64_t hours_end = hour_of(until);
  // Mostly `until` is now, and its hour is inside as well, because nothing is behind.
  if (whole_hours && hours_end != until) {
    const auto behind = any_call(until, hours_end + kHourMs);
    if (!behind) return std::unexpected(behind.error());
    if (!*behind) hours_end += kHourMs;
  }
  whole_hours = whole_hours && hours_begin < hours_end;
  if (!whole_hours) hours_begin = hours_end = until;

  std::string by;
  std::string order;
  for (std::size_t i = 0; i < query.by.size(); ++i) {
    by += fmt::format("{}{}", i == 0 ? "" : ", ", expression_of(query.by[i]));
    order += fmt::format("{}{}", i == 0 ? "" : ", ", i + 1);
  }
  const std::string sums = postgres_sums();
  const auto ends = [&](std::string_view column) {
    return fmt::format("({} OR {})", range(column, since, hours_begin),
                       range(column, std::min(hours_end, until), until));
  };
  std::string sql = fmt::format("SELECT {}{} FROM (", by, query.by.empty() ? sums.substr(2) : sums);
  if (whole_hours) {
    sql += fmt::format(
        "SELECT hour_ms AS started_ms, task, route, model, provider, key_name, group_name, outcome, failure, "
        "''::text AS user_name, ''::text AS tags{} FROM weir_hours WHERE {} UNION ALL",
        postgres_sum_columns(), range("hour_ms", hours_begin, hours_end));
  }
  sql += postgres_parts({"weir_calls c WHERE " + ends("c.started_ms"),
                         "weir_attempts a JOIN weir_calls c ON c.id = a.call_id WHERE " + ends("a.started_ms"),
                         "weir_savings s JOIN weir_calls c ON c.id = s.call_id WHERE " + ends("s.started_ms")});
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
  const auto rows = ask(fmt::format(
      "SELECT model, reply_model, price_known, price_input, price_output, price_cache_read, price_cache_write, "
      "count(*) FILTER (WHERE last), count(*), sum(uncached)::bigint, sum(cache_read)::bigint, "
      "sum(cache_write)::bigint, "
      "sum(output - reasoning)::bigint, sum(reasoning)::bigint, sum(cost)::bigint FROM weir_attempts WHERE {} "
      "GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY sum(cost) DESC, 1, 2, 3, 4, 5, 6, 7",
      range("started_ms", since_unix_ms, until_unix_ms)));
  if (!rows) return std::unexpected(rows.error());
  std::vector<ModelUse> uses;
  for (int row = 0; row < rows->count(); ++row) {
    ModelUse& use = uses.emplace_back();
    use.model = rows->text(row, 0);
    use.reply_model = rows->text(row, 1);
    use.price_known = rows->boolean(row, 2);
    int column = 3;
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
  const auto rows =
      ask(fmt::format("SELECT count(*), count(DISTINCT user_name), count(*) FILTER (WHERE client_retry > 0), "
                      "coalesce(sum(messages), 0)::bigint FROM weir_calls WHERE {}",
                      range("started_ms", since_unix_ms, until_unix_ms)));
  if (!rows) return std::unexpected(rows.error());
  auto models = model_uses(since_unix_ms, until_unix_ms);
  if (!models) return std::unexpected(models.error());
  Period period;
  period.calls = rows->number(0, 0);
  period.users = rows->number(0, 1);
  period.client_retries = rows->number(0, 2);
  period.messages = rows->number(0, 3);
  for (const ModelUse& use : *models) period.attempts += use.attempts;
  period.models = std::move(*models);
  return period;
}

}  // namespace weir::store
