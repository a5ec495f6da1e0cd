#include "store/postgres_schema.hpp"

#include <iterator>
#include <vector>

#include <fmt/core.h>

namespace weir::store {
namespace {

// Any number that no other program takes for a lock; ours says "weir" in ASCII.
constexpr const char* kLockTables = "SELECT pg_advisory_xact_lock(2003134834)";

// Times are bigints of UTC milliseconds and money bigints of nano-dollars, exactly as weir counts them. Rows come
// nearly in the order of their time: a BRIN index finds a range in millions of them and costs nearly nothing to keep.
// The hash index has no limit on what it indexes, as a B-tree has.
//
// Since version 2. One row per process that ever wrote: how many of its calls became rows, for the next start to
// compare.
constexpr const char* kInstances = R"(CREATE TABLE weir_instances (
  id bigint PRIMARY KEY,
  started_ms bigint NOT NULL,
  calls bigint NOT NULL,
  lost bigint NOT NULL) WITH (fillfactor = 50))";
// Since version 3: what clients named so far; sums by user and day, and by target (what drift and --reprice read).
constexpr const char* kNames = "CREATE TABLE weir_names (name text PRIMARY KEY)";
constexpr const char* kUserDays = R"(CREATE TABLE weir_user_days (
  day_ms bigint NOT NULL,
  user_name text NOT NULL,
  model text NOT NULL,
  calls bigint NOT NULL,
  failed_calls bigint NOT NULL,
  client_retries bigint NOT NULL,
  attempts bigint NOT NULL,
  failed_attempts bigint NOT NULL,
  uncached bigint NOT NULL,
  cache_read bigint NOT NULL,
  cache_write bigint NOT NULL,
  output bigint NOT NULL,
  reasoning bigint NOT NULL,
  messages bigint NOT NULL,
  took_us bigint NOT NULL,
  cost bigint NOT NULL,
  wasted bigint NOT NULL,
  price_unknown_calls bigint NOT NULL,
  saved_exact_cache bigint NOT NULL,
  saved_semantic_cache bigint NOT NULL,
  saved_coalesced bigint NOT NULL,
  saved_compression bigint NOT NULL,
  saved_routing bigint NOT NULL,
  saved_provider_cache bigint NOT NULL,
  saved_batch bigint NOT NULL,
  PRIMARY KEY (day_ms, user_name, model)) WITH (fillfactor = 70))";
constexpr const char* kTargetHours = R"(CREATE TABLE weir_target_hours (
  hour_ms bigint NOT NULL,
  model text NOT NULL,
  provider text NOT NULL,
  reply_model text NOT NULL,
  price_known boolean NOT NULL,
  price_input bigint NOT NULL,
  price_output bigint NOT NULL,
  price_cache_read bigint NOT NULL,
  price_cache_write bigint NOT NULL,
  calls bigint NOT NULL,
  attempts bigint NOT NULL,
  uncached bigint NOT NULL,
  cache_read bigint NOT NULL,
  cache_write bigint NOT NULL,
  output bigint NOT NULL,
  reasoning bigint NOT NULL,
  cost bigint NOT NULL,
  PRIMARY KEY (hour_ms, model, provider, reply_model, price_known, price_input, price_output, price_cache_read,
    price_cache_write)) WITH (fillfactor = 70))";
// Tables with millions of calls are completed in a moment: sums begin with the next day, before it reports read calls.
constexpr const char* kCompletion[] = {
    "ALTER TABLE weir_calls ADD COLUMN reask boolean NOT NULL DEFAULT false",
    "ALTER TABLE weir_schema ADD COLUMN rolled_since_ms bigint NOT NULL DEFAULT 0",
    "UPDATE weir_schema SET rolled_since_ms = (extract(epoch FROM now())::bigint / 86400 + 1) * 86400000",
    kNames,
    kUserDays,
    kTargetHours,
};
constexpr const char* kTables[] = {
    kInstances,
    kNames,
    kUserDays,
    kTargetHours,
    R"(CREATE TABLE weir_schema (version integer NOT NULL, rolled_since_ms bigint NOT NULL DEFAULT 0))",
    R"(CREATE TABLE weir_calls (
  id uuid PRIMARY KEY,
  request_id text NOT NULL,
  started_ms bigint NOT NULL,
  took_us bigint NOT NULL,
  first_byte_us bigint NOT NULL,
  route text NOT NULL,
  task text NOT NULL,
  model text NOT NULL,
  provider text NOT NULL,
  key_name text NOT NULL,
  group_name text NOT NULL,
  user_name text NOT NULL,
  tags text NOT NULL,
  outcome text NOT NULL,
  failure text NOT NULL,
  phase text NOT NULL,
  status integer NOT NULL,
  stream boolean NOT NULL,
  raw boolean NOT NULL,
  client_retry bigint NOT NULL,
  messages bigint NOT NULL,
  prompt_bytes bigint NOT NULL,
  system_hash bigint NOT NULL,
  prompt_hash bigint NOT NULL,
  price_unknown boolean NOT NULL,
  reask boolean NOT NULL DEFAULT false))",
    R"(CREATE INDEX weir_calls_started ON weir_calls USING brin (started_ms) WITH (pages_per_range = 32, autosummarize = on))",
    R"(CREATE INDEX weir_calls_request_id ON weir_calls USING hash (request_id) WHERE request_id <> '')",
    R"(CREATE TABLE weir_attempts (
  call_id uuid NOT NULL,
  number integer NOT NULL,
  last boolean NOT NULL,
  started_ms bigint NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  reply_model text NOT NULL,
  provider_request_id text NOT NULL,
  key_index bigint NOT NULL,
  phases_us bigint[] NOT NULL,
  failure text NOT NULL,
  phase text NOT NULL,
  status integer NOT NULL,
  uncached bigint NOT NULL,
  cache_read bigint NOT NULL,
  cache_write bigint NOT NULL,
  output bigint NOT NULL,
  reasoning bigint NOT NULL,
  usage_reported boolean NOT NULL,
  usage_estimated boolean NOT NULL,
  cost bigint NOT NULL,
  price_input bigint NOT NULL,
  price_output bigint NOT NULL,
  price_cache_read bigint NOT NULL,
  price_cache_write bigint NOT NULL,
  price_known boolean NOT NULL,
  wasted boolean NOT NULL,
  may_have_been_billed boolean NOT NULL,
  reused_connection boolean NOT NULL,
  PRIMARY KEY (call_id, number)))",
    R"(CREATE INDEX weir_attempts_started ON weir_attempts USING brin (started_ms) WITH (pages_per_range = 32, autosummarize = on))",
    R"(CREATE TABLE weir_savings (
  call_id uuid NOT NULL,
  cause text NOT NULL,
  started_ms bigint NOT NULL,
  saved bigint NOT NULL,
  PRIMARY KEY (call_id, cause)))",
    R"(CREATE INDEX weir_savings_started ON weir_savings USING brin (started_ms) WITH (pages_per_range = 32, autosummarize = on))",
    R"(CREATE TABLE weir_texts (
  call_id uuid PRIMARY KEY,
  until_ms bigint NOT NULL,
  request text NOT NULL,
  reply text NOT NULL))",
    R"(CREATE INDEX weir_texts_until ON weir_texts (until_ms))",
    R"(CREATE TABLE weir_hours (
  hour_ms bigint NOT NULL,
  task text NOT NULL,
  route text NOT NULL,
  model text NOT NULL,
  provider text NOT NULL,
  key_name text NOT NULL,
  group_name text NOT NULL,
  outcome text NOT NULL,
  failure text NOT NULL,
  calls bigint NOT NULL,
  failed_calls bigint NOT NULL,
  client_retries bigint NOT NULL,
  attempts bigint NOT NULL,
  failed_attempts bigint NOT NULL,
  uncached bigint NOT NULL,
  cache_read bigint NOT NULL,
  cache_write bigint NOT NULL,
  output bigint NOT NULL,
  reasoning bigint NOT NULL,
  messages bigint NOT NULL,
  took_us bigint NOT NULL,
  cost bigint NOT NULL,
  wasted bigint NOT NULL,
  price_unknown_calls bigint NOT NULL,
  saved_exact_cache bigint NOT NULL,
  saved_semantic_cache bigint NOT NULL,
  saved_coalesced bigint NOT NULL,
  saved_compression bigint NOT NULL,
  saved_routing bigint NOT NULL,
  saved_provider_cache bigint NOT NULL,
  saved_batch bigint NOT NULL,
  PRIMARY KEY (hour_ms, task, route, model, provider, key_name, group_name, outcome, failure)) WITH (fillfactor = 70))",
};

// A database that answers later than this is slow: the batch goes to the spool. The compiler for long statements would
// take longer than the short statement that every batch is.
constexpr const char* kSession =
    "SELECT set_config('statement_timeout', '3000', false), set_config('jit', 'off', false),"
    "  to_regclass('weir_schema') IS NOT NULL";

PostgresResult<std::int64_t> check_version(PostgresConnection& connection, TimePoint deadline) {
  const auto rows = connection.ask("SELECT coalesce(max(version), 0) FROM weir_schema", deadline);
  if (!rows) return std::unexpected(rows.error());
  const std::int64_t version = rows->number(0, 0);
  if (version >= 1 && version <= kPostgresSchemaVersion) return version;
  const std::string message =
      version > kPostgresSchemaVersion
          ? fmt::format("its tables have version {}, made by a later weir; this one knows version {}: upgrade weir",
                        version, kPostgresSchemaVersion)
          : std::string("table weir_schema has no version; drop the weir_* tables or give weir a database of its own");
  return std::unexpected(PostgresError{message, "0A000"});
}

PostgresResult<void> make_tables(PostgresConnection& connection, TimePoint deadline) {
  const auto done = [&](const char* sql) -> PostgresResult<void> {
    const auto rows = connection.ask(sql, deadline);
    if (!rows) return std::unexpected(rows.error());
    return {};
  };
  if (auto begun = done("BEGIN"); !begun) return begun;
  if (auto locked = done(kLockTables); !locked) return locked;
  // Not to_regclass(): within a transaction it may answer from what this session has seen before.
  const auto there = connection.ask(
      "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'weir_schema' AND pg_table_is_visible(oid))", deadline);
  if (!there) return std::unexpected(there.error());
  if (there->boolean(0, 0)) return done("COMMIT");  // another weir was quicker
  for (const char* const table : kTables) {
    if (auto made = done(table); !made) return made;
  }
  const std::string version = fmt::format("INSERT INTO weir_schema VALUES ({}, 0)", kPostgresSchemaVersion);
  if (auto set = done(version.c_str()); !set) return set;
  return done("COMMIT");
}

PostgresResult<void> complete_tables(PostgresConnection& connection, TimePoint deadline) {
  const std::string version = fmt::format("UPDATE weir_schema SET version = {}", kPostgresSchemaVersion);
  for (const char* const sql : {"BEGIN", kLockTables}) {
    if (auto rows = connection.ask(sql, deadline); !rows) return std::unexpected(rows.error());
  }
  const auto found = check_version(connection, deadline);  // another weir may have been quicker
  if (!found) return std::unexpected(found.error());
  std::vector<const char*> missing;
  if (*found < 2) missing.push_back(kInstances);
  if (*found < 3) missing.insert(missing.end(), std::begin(kCompletion), std::end(kCompletion));
  if (*found < kPostgresSchemaVersion) missing.push_back(version.c_str());
  for (const char* const sql : missing) {
    if (auto rows = connection.ask(sql, deadline); !rows) return std::unexpected(rows.error());
  }
  if (auto rows = connection.ask("COMMIT", deadline); !rows) return std::unexpected(rows.error());
  return {};
}

}  // namespace

PostgresResult<void> ensure_postgres_schema(PostgresConnection& connection, TimePoint deadline) {
  const auto session = connection.ask(kSession, deadline);
  if (!session) return std::unexpected(session.error());
  if (!session->boolean(0, 2)) {
    if (auto made = make_tables(connection, deadline); !made) return made;
  }
  const auto version = check_version(connection, deadline);
  if (!version) return std::unexpected(version.error());
  if (*version < kPostgresSchemaVersion) return complete_tables(connection, deadline);
  return {};
}

PostgresResult<std::int64_t> check_postgres_schema(PostgresConnection& connection, TimePoint deadline) {
  const auto session = connection.ask(
      "SELECT set_config('default_transaction_read_only', 'on', false), to_regclass('weir_schema') IS NOT NULL",
      deadline);
  if (!session) return std::unexpected(session.error());
  if (!session->boolean(0, 1)) {
    return std::unexpected(PostgresError{"it has no ledger yet; `weir serve` makes one", "0A000"});
  }
  return check_version(connection, deadline);
}

}  // namespace weir::store
