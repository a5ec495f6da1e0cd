#include "store/postgres_sql.hpp"

#include <array>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace weir::store {
namespace {

constexpr std::array kSums{"calls",
                           "failed_calls",
                           "client_retries",
                           "attempts",
                           "failed_attempts",
                           "uncached",
                           "cache_read",
                           "cache_write",
                           "output",
                           "reasoning",
                           "messages",
                           "took_us",
                           "cost",
                           "wasted",
                           "price_unknown_calls",
                           "saved_exact_cache",
                           "saved_semantic_cache",
                           "saved_coalesced",
                           "saved_compression",
                           "saved_routing",
                           "saved_provider_cache",
                           "saved_batch"};
constexpr std::array kSaved{"exact_cache", "semantic_cache", "coalesced", "compression",
                            "routing",     "provider_cache", "batch"};
static_assert(kSaved.size() == kSavingCauseNames.size());
static_assert(kSums.size() == kPostgresSums);

// The three parts have the same columns in the same order; those that a part does not fill are 0.
constexpr const char* kCallPart = R"(
SELECT c.started_ms, c.task, c.route, c.model, c.provider, c.key_name, c.group_name, c.outcome, c.failure, c.user_name, c.tags,
  1::bigint AS calls, (c.outcome <> 'ok')::int AS failed_calls, (c.client_retry > 0 OR {})::int AS client_retries,
  0::bigint AS attempts, 0 AS failed_attempts, 0::bigint AS uncached, 0::bigint AS cache_read, 0::bigint AS cache_write,
  0::bigint AS output, 0::bigint AS reasoning, c.messages, c.took_us, 0::bigint AS cost, 0::bigint AS wasted,
  c.price_unknown::int AS price_unknown_calls)";
constexpr const char* kAttemptPart = R"(
UNION ALL
SELECT c.started_ms, c.task, c.route, a.model, a.provider, c.key_name, c.group_name, c.outcome, a.failure, c.user_name, c.tags,
  0, 0, 0, 1, (a.failure <> 'none')::int, a.uncached, a.cache_read, a.cache_write, a.output - a.reasoning, a.reasoning, 0, 0,
  a.cost, CASE WHEN a.wasted THEN a.cost ELSE 0 END, 0)";
constexpr const char* kSavingPart = R"(
UNION ALL
SELECT c.started_ms, c.task, c.route, c.model, c.provider, c.key_name, c.group_name, c.outcome, c.failure, c.user_name, c.tags,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)";

constexpr const char* kInsertBegin = R"(
WITH batch AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS j(
    id uuid, q text, t bigint, d bigint, f bigint, ro text, ta text, m text, p text, k text, g text, u text, x text, o text,
    e text, ph text, s integer, st boolean, ra boolean, cr bigint, ms bigint, pb bigint, sh bigint, pr bigint, pu boolean,
    rk boolean, sv json, qt text, rt text, tu bigint, a json)
), new_calls AS (
  INSERT INTO weir_calls
  SELECT id, coalesce(q, ''), coalesce(t, 0), coalesce(d, 0), coalesce(f, -1), coalesce(ro, ''), coalesce(ta, ''),
    coalesce(m, ''), coalesce(p, ''), coalesce(k, ''), coalesce(g, ''), coalesce(u, ''), coalesce(x, ''), coalesce(o, 'ok'),
    coalesce(e, 'none'), coalesce(ph, 'none'), coalesce(s, 0), st IS TRUE, ra IS TRUE, coalesce(cr, 0), coalesce(ms, 0),
    coalesce(pb, 0), coalesce(sh, 0), coalesce(pr, 0), pu IS TRUE, rk IS TRUE
  FROM batch ORDER BY id
  ON CONFLICT DO NOTHING RETURNING *
), new_attempts AS (
  INSERT INTO weir_attempts
  SELECT c.id, a.n, a.l IS TRUE, c.started_ms, coalesce(a.p, ''), coalesce(a.m, ''), coalesce(a.rm, ''), coalesce(a.q, ''),
    coalesce(a.k, 0), coalesce(a.us, '{}'), coalesce(a.e, 'none'), coalesce(a.ph, 'none'), coalesce(a.s, 0), coalesce(a.u, 0),
    coalesce(a.cr, 0), coalesce(a.cw, 0), coalesce(a.o, 0), coalesce(a.r, 0), a.re IS TRUE, a.es IS TRUE, coalesce(a.c, 0),
    coalesce(a.pi, 0), coalesce(a.po, 0), coalesce(a.pr, 0), coalesce(a.pw, 0), a.pk IS TRUE, a.w IS TRUE, a.mb IS TRUE,
    a.rc IS TRUE
  FROM new_calls c JOIN batch b ON b.id = c.id CROSS JOIN LATERAL json_to_recordset(b.a) AS a(
    n integer, l boolean, p text, m text, rm text, q text, k bigint, us bigint[], e text, ph text, s integer, u bigint,
    cr bigint, cw bigint, o bigint, r bigint, re boolean, es boolean, c bigint, pi bigint, po bigint, pr bigint, pw bigint,
    pk boolean, w boolean, mb boolean, rc boolean)
  ON CONFLICT DO NOTHING RETURNING *
), new_savings AS (
  INSERT INTO weir_savings
  SELECT c.id, s.key, c.started_ms, s.value::bigint
  FROM new_calls c JOIN batch b ON b.id = c.id CROSS JOIN LATERAL json_each_text(b.sv) AS s
  ON CONFLICT DO NOTHING RETURNING *
), new_texts AS (
  INSERT INTO weir_texts
  SELECT c.id, b.tu, coalesce(b.qt, ''), coalesce(b.rt, '')
  FROM new_calls c JOIN batch b ON b.id = c.id WHERE b.tu IS NOT NULL
  ON CONFLICT DO NOTHING
), parts AS ()";
// Sorted, so that two weirs lock the rows that they share in the same order.
constexpr const char* kInsertHours = R"(), rolled AS (
  INSERT INTO weir_hours AS h
  SELECT started_ms - started_ms % 3600000, task, route, model, provider, key_name, group_name, outcome, failure)";
constexpr const char* kInsertConflict = R"(
  FROM parts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
  ON CONFLICT (hour_ms, task, route, model, provider, key_name, group_name, outcome, failure) DO UPDATE SET )";

// By user only what a day has: a row for each user and hour would be nearly one per call.
constexpr const char* kInsertUserDays = R"(), rolled_users AS (
  INSERT INTO weir_user_days AS h
  SELECT started_ms - started_ms % 86400000, {}, model)";
constexpr const char* kUserDaysConflict = R"(
  FROM parts GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (day_ms, user_name, model) DO UPDATE SET )";
constexpr const char* kInsertTargetHours = R"(), rolled_targets AS (
  INSERT INTO weir_target_hours AS h
  SELECT started_ms - started_ms % 3600000, model, provider, {}, price_known, price_input, price_output, price_cache_read,
    price_cache_write, count(*) FILTER (WHERE last), count(*), sum(uncached), sum(cache_read), sum(cache_write),
    sum(output - reasoning), sum(reasoning), sum(cost)
  FROM new_attempts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
  ON CONFLICT (hour_ms, model, provider, reply_model, price_known, price_input, price_output, price_cache_read,
    price_cache_write) DO UPDATE SET calls = h.calls + excluded.calls, attempts = h.attempts + excluded.attempts,
    uncached = h.uncached + excluded.uncached, cache_read = h.cache_read + excluded.cache_read,
    cache_write = h.cache_write + excluded.cache_write, output = h.output + excluded.output,
    reasoning = h.reasoning + excluded.reasoning, cost = h.cost + excluded.cost)";

// $2: whose calls they are. Nobody else writes that row, but for one who has taken over a dead process's spool.
constexpr const char* kInsertEnd = R"(), counted AS (
  INSERT INTO weir_instances AS i SELECT $2::bigint, 0, (SELECT count(*) FROM new_calls), 0
  ON CONFLICT (id) DO UPDATE SET calls = i.calls + excluded.calls
) SELECT count(*) FROM new_calls)";

std::string insert_sql() {
  std::string sql = kInsertBegin;
  sql += postgres_parts({"new_calls c", "new_attempts a JOIN new_calls c ON c.id = a.call_id",
                         "new_savings s JOIN new_calls c ON c.id = s.call_id"});
  sql += kInsertHours;
  sql += postgres_sums();
  sql += kInsertConflict;
  std::string added;
  for (const std::string_view sum : kSums) {
    added.append(added.empty() ? "" : ", ").append(sum).append(" = h.").append(sum).append(" + excluded.").append(sum);
  }
  sql += added;
  sql += fmt::format(kInsertUserDays, kPostgresUser);
  sql += postgres_sums();
  sql.append(kUserDaysConflict).append(added);
  sql += fmt::format(kInsertTargetHours, kPostgresReplyModel);
  return sql += kInsertEnd;
}

}  // namespace

std::string postgres_parts(const PostgresSources& from, std::string_view reask) {
  std::string sql = fmt::format(kCallPart, reask);
  for (const std::string_view cause : kSaved) sql.append(", 0::bigint AS saved_").append(cause);
  sql.append(" FROM ").append(from.calls).append(kAttemptPart);
  for (std::size_t i = 0; i < kSaved.size(); ++i) sql += ", 0";
  sql.append(" FROM ").append(from.attempts).append(kSavingPart);
  for (const std::string_view cause : kSaved)
    sql.append(", CASE WHEN s.cause = '").append(cause).append("' THEN s.saved ELSE 0 END");
  return sql.append(" FROM ").append(from.savings);
}

std::string postgres_sum_columns() {
  std::string sql;
  for (const std::string_view sum : kSums) sql.append(", ").append(sum);
  return sql;
}

std::string postgres_sums() {
  std::string sql;
  for (const std::string_view sum : kSums) sql.append(", coalesce(sum(").append(sum).append("), 0)::bigint");
  return sql;
}

const std::string& postgres_insert_sql() {
  static const std::string sql = insert_sql();
  return sql;
}

}  // namespace weir::store
