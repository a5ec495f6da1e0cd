#include "store/postgres_ledger.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "store/postgres_schema.hpp"
#include "store/postgres_sql.hpp"

#include <weir/base/log.hpp>

namespace weir::store {
namespace {

constexpr Duration kFirstWait = std::chrono::milliseconds(250);
constexpr Duration kOpenWithin = std::chrono::seconds(5);    // a start waits for a database in another region
constexpr Duration kUpkeepWithin = std::chrono::seconds(5);  // once a minute
constexpr std::size_t kStatementBytesMax = 8U << 20;         // kept texts: what a slow line carries within the limit
constexpr const char* kSetAside = "UPDATE weir_instances SET calls = calls + $2::bigint WHERE id = $1::bigint";
constexpr std::int64_t kTextsPerDelete = 5'000;  // well within the limit of a statement

}  // namespace

Result<std::unique_ptr<LedgerStore>> open_postgres_ledger(const std::string& url, const std::string& spool_folder,
                                                          std::uint64_t instance) {
  return PostgresLedger::open(url, spool_folder, instance);
}

Result<std::unique_ptr<PostgresLedger>> PostgresLedger::open(const std::string& url, const std::string& spool_folder,
                                                             std::uint64_t instance, const PostgresLimits& limits) {
  const auto library = postgres_library();
  if (!library) return std::unexpected(library.error());
  auto place = postgres_place(**library, url);
  if (!place) return std::unexpected(place.error());
  std::error_code error;
  if (std::filesystem::create_directories(spool_folder, error)) {
    std::filesystem::permissions(spool_folder, std::filesystem::perms::owner_all, error);
  }
  if (access(spool_folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return failure(
        fmt::format("stores.ledger: {} must be a folder that weir may write: calls wait there while the database "
                    "is away",
                    spool_folder));
  }
  std::unique_ptr<PostgresLedger> ledger(
      new PostgresLedger(**library, url, std::move(*place), spool_folder, instance, limits));
  if (const auto connected = ledger->connect(Clock::now() + kOpenWithin); !connected) {
    if (connected.error().needs_hands()) {
      return failure(fmt::format("stores.ledger: PostgreSQL at {}: {}", ledger->place_, connected.error().message));
    }
    ledger->went_away(connected.error());
  }
  ledger->adopt_spools();
  if (!ledger->away_) ledger->replay(Clock::now() + kOpenWithin);
  return ledger;
}

Result<void> PostgresLedger::append(const LedgerBatch& batch) {
  if (batch.calls.empty()) return {};
  const std::string_view document = document_.write(batch);
  const TimePoint now = Clock::now();
  const TimePoint deadline = now + (away_ ? limits_.try_again : limits_.statement);
  if (!reach(deadline) || deliver(document, instance_, deadline) != Sent::done) {
    if (auto kept = spool(document, batch.calls.size()); !kept) return kept;
  } else {
    note_names(deadline);
    if (calls_spooled() > 0) replay(Clock::now() + limits_.replay);
  }
  written_.fetch_add(batch.calls.size(), std::memory_order_relaxed);
  return {};
}

Result<void> PostgresLedger::upkeep(std::int64_t now_unix_ms) {
  const TimePoint deadline = Clock::now() + kUpkeepWithin;
  adopt_spools();
  if (!reach(deadline)) return {};
  replay(deadline);
  if (connection_) static_cast<void>(names_.load(*connection_, deadline));  // what others have added; else in a minute
  const std::string now = fmt::format("{}", now_unix_ms);
  const char* const parameters[] = {now.c_str()};
  const std::string sql = fmt::format(
      "DELETE FROM weir_texts WHERE call_id IN (SELECT call_id FROM weir_texts WHERE until_ms <= $1::bigint LIMIT {}) "
      "RETURNING 1",
      kTextsPerDelete);
  while (connection_ && Clock::now() < deadline) {
    const auto deleted = connection_->ask(sql, parameters, Clock::now() + limits_.statement);
    if (!deleted) {
      went_away(deleted.error());
    } else {
      came_back();
      if (deleted->count() < kTextsPerDelete) break;
    }
  }
  return {};
}

void PostgresLedger::note_names(TimePoint deadline) {
  if (!names_.has_new() || !connection_) return;
  if (const auto noted = names_.note(*connection_, deadline); !noted && noted.error().connection_lost()) {
    went_away(noted.error());
  }
}

bool PostgresLedger::reach(TimePoint deadline) {
  if (connection_) return true;
  if (Clock::now() < next_try_) return false;
  const auto connected = connect(deadline);
  if (!connected) went_away(connected.error());
  return connected.has_value();
}

PostgresResult<void> PostgresLedger::connect(TimePoint deadline) {
  auto made = PostgresConnection::open(*library_, url_, deadline);
  if (!made) return std::unexpected(made.error());
  if (auto schema = ensure_postgres_schema(*made, deadline); !schema) return schema;
  const std::string instance = std::to_string(instance_);
  const std::string now = std::to_string(unix_milliseconds());
  const char* const parameters[] = {instance.c_str(), now.c_str()};
  const auto noted =
      made->ask("INSERT INTO weir_instances VALUES ($1::bigint, $2::bigint, 0, 0) ON CONFLICT (id) DO NOTHING",
                parameters, deadline);
  if (!noted) return std::unexpected(noted.error());
  if (auto loaded = names_.load(*made, deadline); !loaded) return loaded;
  connection_.emplace(std::move(*made));
  return {};
}

PostgresResult<PostgresRows> PostgresLedger::ask_of(const char* sql, std::uint64_t instance, std::uint64_t number) {
  const std::string whose = std::to_string(instance);
  const std::string value = std::to_string(number);
  const char* const parameters[] = {whose.c_str(), value.c_str()};
  auto rows = connection_->ask(sql, parameters, Clock::now() + limits_.statement);
  if (!rows) went_away(rows.error());
  return rows;
}

std::string PostgresLedger::is_away() const {
  return fmt::format("stores.ledger: PostgreSQL at {} is away", place_);
}

Result<std::optional<std::uint64_t>> PostgresLedger::calls_of(std::uint64_t instance) {
  if (!reach(Clock::now() + limits_.statement)) return failure(is_away());
  const auto rows = ask_of("SELECT calls FROM weir_instances WHERE id = $1::bigint AND $2::bigint >= 0", instance, 0);
  if (!rows) return failure(is_away());
  std::uint64_t spooled = 0;
  for (const auto& spool : left_over_) {
    if (postgres_spool_instance(spool->path()) == instance) spooled += spool->calls();
  }
  if (own_ && instance == instance_) spooled += own_->calls();
  if (rows->count() == 0 && spooled == 0) return std::nullopt;
  return spooled + (rows->count() == 0 ? 0 : static_cast<std::uint64_t>(rows->number(0, 0)));
}

Result<void> PostgresLedger::note_lost(std::uint64_t instance, std::uint64_t calls) {
  if (!reach(Clock::now() + limits_.statement)) return failure(is_away());
  const auto noted = ask_of(
      "INSERT INTO weir_instances VALUES ($1::bigint, 0, 0, $2::bigint) "
      "ON CONFLICT (id) DO UPDATE SET lost = excluded.lost",
      instance, calls);
  return noted ? Result<void>() : failure(is_away());
}

void PostgresLedger::went_away(const PostgresError& error) {
  connection_.reset();
  wait_ = std::clamp(wait_ * 2, kFirstWait, std::max(limits_.wait_max, kFirstWait));
  // Half of it by dice, so that several weirs do not come back in the same moment.
  next_try_ = Clock::now() + wait_ / 2 + Duration(random_.next() % static_cast<std::uint64_t>(wait_.count() / 2 + 1));
  if (away_) return;
  away_ = true;
  log::warning("stores.ledger: PostgreSQL at {} is away ({}); calls are kept in {} until it is back", place_,
               error.message, folder_);
}

void PostgresLedger::came_back() {
  wait_ = {};
  if (!away_) return;
  away_ = false;
  log::info("stores.ledger: PostgreSQL at {} is back; {} calls that waited are written now", place_, calls_spooled());
}

PostgresLedger::Sent PostgresLedger::send(std::string_view document, std::uint64_t instance, TimePoint deadline) {
  const std::string whose = std::to_string(instance);
  const char* const parameters[] = {document.data(), whose.c_str()};
  auto rows = connection_->ask(postgres_insert_sql(), parameters, deadline);
  // A connection that had been idle may have been closed behind our back while the database is well.
  if (!rows && rows.error().connection_lost() && !away_ && Clock::now() < deadline && connect(deadline)) {
    rows = connection_->ask(postgres_insert_sql(), parameters, deadline);
  }
  if (rows) {
    came_back();
    return Sent::done;
  }
  if (rows.error().rows_refused()) {
    refusal_ = rows.error().message;
    return Sent::refused;
  }
  went_away(rows.error());
  return Sent::away;
}

PostgresLedger::Sent PostgresLedger::deliver(std::string_view document, std::uint64_t instance, TimePoint deadline) {
  const std::uint64_t rejected_before = rejected_;
  Sent sent = Sent::refused;
  if (document.size() <= kStatementBytesMax) sent = send(document, instance, deadline);
  if (sent == Sent::refused) sent = send_halves(postgres_calls_of(document), instance);
  if (rejected_ > rejected_before) {
    // They are durable too, though not as rows: they must not be taken for lost after a crash.
    if (connection_) ask_of(kSetAside, instance, rejected_ - rejected_before);
    log::error("stores.ledger: PostgreSQL at {} refused {} calls ({}); they are in {}/ledger.rejected", place_,
               rejected_.load() - rejected_before, refusal_, folder_);
  }
  return sent;
}

// One statement per part that is not refused. What was written before the database went away is not written twice when
// all of it comes again; what was set aside may be set aside twice.
PostgresLedger::Sent PostgresLedger::send_halves(std::span<const std::string_view> calls, std::uint64_t instance) {
  const std::string document = postgres_document_of(calls);
  Sent sent = Sent::refused;
  if (document.size() <= kStatementBytesMax || calls.size() == 1) {
    sent = send(document, instance, Clock::now() + limits_.statement);
    if (sent != Sent::refused) return sent;
  }
  if (calls.size() == 1) {
    set_aside(calls.front());
    return Sent::done;
  }
  sent = send_halves(calls.first(calls.size() / 2), instance);
  return sent == Sent::done ? send_halves(calls.subspan(calls.size() / 2), instance) : sent;
}

void PostgresLedger::set_aside(std::string_view call) {
  ++rejected_;
  std::string line(call);
  line += '\n';
  const auto kept = append_durably(folder_ + "/ledger.rejected", line, limits_.rejected_bytes);
  if (!kept) log::error("{}; a refused call is lost", kept.error().message);
}

}  // namespace weir::store
