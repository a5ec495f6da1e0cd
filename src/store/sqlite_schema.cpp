#include "store/sqlite_schema.hpp"

#include <weir/base/clock.hpp>
#include <weir/exchange/savings.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

namespace weir::store::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x77656972;  // "weir": how `file` and we tell a ledger from another database
constexpr std::chrono::milliseconds kPatienceToOpen{5'000};
constexpr Duration kMakingMax = std::chrono::seconds(2);  // of another process, which makes the same file

// Columns that are zero or NULL take one byte. `who` and `target` stand for the texts and prices that recur.
constexpr const char* kSchema = R"sql(
CREATE TABLE names(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE users(hash INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE who(id INTEGER PRIMARY KEY, route INTEGER NOT NULL, task INTEGER NOT NULL, model INTEGER NOT NULL,
  provider INTEGER NOT NULL, key INTEGER NOT NULL, grp INTEGER NOT NULL,
  UNIQUE(route, task, model, provider, key, grp));
CREATE TABLE prices(id INTEGER PRIMARY KEY, input INTEGER NOT NULL, output INTEGER NOT NULL,
  cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, UNIQUE(input, output, cache_read, cache_write));
CREATE TABLE targets(id INTEGER PRIMARY KEY, provider INTEGER NOT NULL, model INTEGER NOT NULL,
  reply_model INTEGER NOT NULL, key_index INTEGER NOT NULL, price INTEGER NOT NULL, price_known INTEGER NOT NULL,
  UNIQUE(provider, model, reply_model, key_index, price, price_known));
CREATE TABLE call_rows(call INTEGER PRIMARY KEY, id BLOB NOT NULL, who INTEGER NOT NULL, ended INTEGER NOT NULL,
  started_after_id INTEGER NOT NULL, took_us INTEGER NOT NULL, first_byte_us INTEGER, user INTEGER,
  messages INTEGER NOT NULL, client_retry INTEGER NOT NULL, prompt_bytes INTEGER NOT NULL,
  system_hash INTEGER NOT NULL, prompt_hash INTEGER NOT NULL, tags TEXT, request_id TEXT, saved TEXT,
  attempts INTEGER NOT NULL,
  target INTEGER, attempt_ended INTEGER, uncached INTEGER, cache_read INTEGER, cache_write INTEGER, output INTEGER,
  reasoning INTEGER, cost INTEGER, provider_request_id TEXT, phases BLOB);
CREATE TABLE attempt_rows(call INTEGER NOT NULL, number INTEGER NOT NULL,
  target INTEGER NOT NULL, attempt_ended INTEGER NOT NULL, uncached INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL, cost INTEGER NOT NULL,
  provider_request_id TEXT, phases BLOB, PRIMARY KEY(call, number)) WITHOUT ROWID;
CREATE TABLE texts(call INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL, request TEXT, reply TEXT);
CREATE INDEX texts_until ON texts(until_ms);
CREATE TABLE hours(hour INTEGER NOT NULL, who INTEGER NOT NULL, outcome INTEGER NOT NULL, failure INTEGER NOT NULL,
  calls INTEGER NOT NULL, failed_calls INTEGER NOT NULL, client_retries INTEGER NOT NULL, attempts INTEGER NOT NULL,
  failed_attempts INTEGER NOT NULL, uncached INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL, messages INTEGER NOT NULL,
  took_us INTEGER NOT NULL, cost INTEGER NOT NULL, wasted INTEGER NOT NULL, price_unknown_calls INTEGER NOT NULL,
  saved_exact_cache INTEGER NOT NULL, saved_semantic_cache INTEGER NOT NULL, saved_coalesced INTEGER NOT NULL,
  saved_compression INTEGER NOT NULL, saved_routing INTEGER NOT NULL, saved_provider_cache INTEGER NOT NULL,
  saved_batch INTEGER NOT NULL, PRIMARY KEY(hour, who, outcome, failure)) WITHOUT ROWID;
CREATE TABLE target_hours(hour INTEGER NOT NULL, target INTEGER NOT NULL, calls INTEGER NOT NULL,
  attempts INTEGER NOT NULL, uncached INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
  output INTEGER NOT NULL, reasoning INTEGER NOT NULL, cost INTEGER NOT NULL,
  PRIMARY KEY(hour, target)) WITHOUT ROWID;
CREATE TABLE user_hours(hour INTEGER NOT NULL, user INTEGER NOT NULL, PRIMARY KEY(hour, user)) WITHOUT ROWID;
CREATE TABLE instances(id INTEGER PRIMARY KEY, started_ms INTEGER NOT NULL, calls INTEGER NOT NULL,
  lost INTEGER NOT NULL);
CREATE VIEW attempts AS SELECT a.call, a.number, p.text AS provider, m.text AS model, r.text AS reply_model,
  t.key_index, a.attempt_ended & 63 AS failure, a.attempt_ended >> 9 & 65535 AS status,
  a.attempt_ended >> 26 & 1 AS wasted, t.price_known, a.uncached, a.cache_read, a.cache_write, a.output, a.reasoning,
  a.cost, a.provider_request_id FROM (
    SELECT call, 1 AS number, target, attempt_ended, uncached, cache_read, cache_write, output, reasoning, cost,
      provider_request_id FROM call_rows WHERE attempts = 1
    UNION ALL SELECT call, number, target, attempt_ended, uncached, cache_read, cache_write, output, reasoning, cost,
      provider_request_id FROM attempt_rows) a
  JOIN targets t ON t.id = a.target JOIN names p ON p.id = t.provider JOIN names m ON m.id = t.model
  JOIN names r ON r.id = t.reply_model;
PRAGMA application_id = 2003134834;
PRAGMA user_version = 1;
)sql";
// Since version 2 (Packs; calls that ask again). A file of version 1 gets the table and has nothing in it yet.
constexpr const char* kSecond = R"sql(
CREATE TABLE packs(begin INTEGER PRIMARY KEY, until INTEGER NOT NULL, hour INTEGER NOT NULL, bytes BLOB);
CREATE INDEX packs_outdated ON packs(begin) WHERE bytes IS NULL;
DROP VIEW IF EXISTS calls;
CREATE VIEW calls AS SELECT c.call,
  strftime('%Y-%m-%dT%H:%M:%fZ', ((c.call >> 22) + c.started_after_id) / 1000.0, 'unixepoch') AS started,
  lower(hex(c.id)) AS id, c.request_id, r.text AS route, t.text AS task, m.text AS model, p.text AS provider,
  k.text AS key, g.text AS grp, u.text AS user, c.tags, c.ended & 7 AS outcome, c.ended >> 3 & 63 AS failure,
  c.ended >> 14 & 65535 AS status, c.ended >> 12 & 1 AS stream, c.took_us, c.first_byte_us, c.messages,
  c.client_retry, c.ended >> 30 & 1 AS reask, c.prompt_bytes, c.system_hash, c.prompt_hash, c.saved, c.attempts
  FROM call_rows c JOIN who w ON w.id = c.who JOIN names r ON r.id = w.route JOIN names t ON t.id = w.task
  JOIN names m ON m.id = w.model JOIN names p ON p.id = w.provider JOIN names k ON k.id = w.key
  JOIN names g ON g.id = w.grp LEFT JOIN users u ON u.hash = c.user;
PRAGMA user_version = 2;
)sql";
static_assert(kApplicationId == 2003134834 && kSchemaVersion == 2, "the numbers at the ends of kSchema, kSecond");
static_assert(static_cast<int>(SavingCause::count_) == 7,
              "one saved_ column of `hours` per cause, in the enum's order");

/// The version of a ledger that this weir knows, 0 for an empty file. The error says what else it is.
Result<std::int64_t> schema_of(Database& database) {
  // The number that says whose it is comes last: another process may make the ledger between these.
  const auto things = database.number("SELECT count(*) FROM sqlite_master");
  if (!things) return std::unexpected(things.error());
  const auto version = database.number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  const auto application = database.number("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  if (*application == 0 && *version == 0 && *things == 0) return 0;
  if (*application != kApplicationId) {
    return failure(fmt::format("stores.ledger: {} is a database of another program; name a file that is not there yet",
                               database.path()));
  }
  if (*version > kSchemaVersion) {
    return failure(fmt::format(
        "stores.ledger: {} was written by a newer weir (schema {}, this one knows up to {}); use that one, or name "
        "another file",
        database.path(), *version, kSchemaVersion));
  }
  return version;
}

Result<void> make_schema(Database& database) {
  // Looked at again under the lock: another process may have made it just now.
  if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) return begun;
  const auto has = schema_of(database);
  Result<void> made = has ? Result<void>() : std::unexpected(has.error());
  if (made && *has < 1) made = database.run(kSchema);
  if (made && *has < 2) made = database.run(kSecond);
  if (made) made = database.run("COMMIT");
  if (!made) static_cast<void>(database.run("ROLLBACK"));
  return made;
}

Result<void> make_file(const std::string& path) {
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, error)) {
    std::filesystem::create_directories(folder, error);
    if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  // Made here and not by SQLite, so that it is never readable for others; -wal and -shm take its mode.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    const int why = errno;
    const int code = why == ENOSPC ? SQLITE_FULL : why == EROFS || why == EACCES ? SQLITE_READONLY : SQLITE_CANTOPEN;
    return failure(explain(path, code, std::strerror(why), 0));
  }
  ::close(descriptor);
  return {};
}

}  // namespace

Result<Database> open_for_writing(const std::string& path) {
  if (auto made = make_file(path); !made) return std::unexpected(made.error());
  auto database = Database::open(path, Database::Mode::write);
  if (!database) return database;
  // At a hot restart on a busy processor the old weir's transactions, of low priority, may take long.
  database->set_patience(kPatienceToOpen);
  if (sqlite3_db_readonly(database->handle(), "main") == 1) {
    return failure(explain(path, SQLITE_READONLY, "it is read-only", 0));
  }
  const auto has = schema_of(*database);
  if (!has) return std::unexpected(has.error());
  // Of a new file, and before its log: half as many pages to write, check and copy home as with SQLite's own 4 KiB.
  if (auto sized = database->run("PRAGMA page_size = 8192"); !sized) return std::unexpected(sized.error());
  auto set_mode = database->prepare("PRAGMA journal_mode = WAL");
  if (!set_mode) return std::unexpected(set_mode.error());
  // Where two make the same file at once each holds what the other needs, and SQLite does not wait by itself.
  const TimePoint give_up = Clock::now() + kMakingMax;
  while (set_mode->step() != SQLITE_ROW) {
    if ((database->error_code() & 0xff) != SQLITE_BUSY || Clock::now() > give_up) {
      return std::unexpected(database->error());
    }
    set_mode->reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (set_mode->text(0) != "wal") {
    return failure(
        fmt::format("stores.ledger: {} lies on a file system without shared memory (a network drive?); "
                    "name a file on a local disk",
                    path));
  }
  set_mode->reset();
  // 16 MiB of log before pages are copied home: each page of the hour's sums is then copied once for many commits.
  if (auto tuned = database->run("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2000;"
                                 "PRAGMA journal_size_limit = 33554432; PRAGMA secure_delete = ON;"
                                 "PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY");
      !tuned) {
    return std::unexpected(tuned.error());
  }
  if (*has < kSchemaVersion) {
    if (auto made = make_schema(*database); !made) return std::unexpected(made.error());
  }
  database->set_patience(Database::kPatience);
  return database;
}

Result<Database> open_for_reading(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    return failure(
        fmt::format("stores.ledger: there is no ledger at {} ({}); `weir serve` with stores.ledger: file "
                    "makes one and fills it",
                    path, std::strerror(errno)));
  }
  auto database = Database::open(path, Database::Mode::read);
  if (!database) return database;
  const auto has = schema_of(*database);
  if (!has) return std::unexpected(has.error());
  if (*has == 0) {
    return failure(fmt::format("stores.ledger: {} is empty; `weir serve` with stores.ledger: file fills it", path));
  }
  if (auto tuned = database->run("PRAGMA query_only = ON; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY");
      !tuned) {
    return std::unexpected(tuned.error());
  }
  return database;
}

}  // namespace weir::store::sqlite
