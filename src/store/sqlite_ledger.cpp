#include <sys/stat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <weir/base/clock.hpp>
#include <weir/base/log.hpp>
#include "store/sqlite_coding.hpp"
#include "store/sqlite_names.hpp"
#include "store/sqlite_packs.hpp"
#include "store/sqlite_schema.hpp"
#include "store/sqlite_sums.hpp"

namespace weir::store {
namespace {

using namespace sqlite;

constexpr int kTextsPerDelete = 500;   // a transaction of some milliseconds
constexpr int kDeletesPerUpkeep = 40;  // the rest a minute later: calls want to be written too
constexpr auto kPacksPerUpkeep = std::chrono::milliseconds(250);  // half a million calls; likewise

/// Which file a path leads to, to notice that it was moved or deleted while we have it open.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileMark&) const = default;

  static FileMark of(const std::string& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) return {};
    return {about.st_dev, about.st_ino};
  }
};

/// An open file with what is prepared for it; built anew after an error that a connection may not outlive.
struct Connection {
  Database database;
  Names names;
  HourSums sums;
  Packs packs;
  Statement begin, commit, rollback, insert_call, id_at, insert_attempt, insert_text, count;
  FileMark mark;

  static Result<std::unique_ptr<Connection>> open(const std::string& path);
};

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path) {
  auto database = open_for_writing(path);
  if (!database) return std::unexpected(database.error());
  auto names = Names::prepare(*database);
  if (!names) return std::unexpected(names.error());
  auto sums = HourSums::prepare(*database);
  if (!sums) return std::unexpected(sums.error());
  auto packs = Packs::prepare(*database);
  if (!packs) return std::unexpected(packs.error());
  auto made = std::make_unique<Connection>();
  const std::pair<Statement&, std::string_view> all[] = {
      {made->begin, "BEGIN IMMEDIATE"},
      {made->commit, "COMMIT"},
      {made->rollback, "ROLLBACK"},
      {made->insert_call,
       "INSERT INTO call_rows VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"},
      {made->id_at, "SELECT id FROM call_rows WHERE call = ?"},
      {made->insert_attempt, "INSERT INTO attempt_rows VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"},
      {made->insert_text, "INSERT INTO texts VALUES(?,?,?,?)"},
      {made->count,
       "INSERT INTO instances VALUES(?1,?3,?2,0) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls RETURNING "
       "calls"},
  };
  for (const auto& [to, sql] : all) {
    auto statement = database->prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    to = std::move(*statement);
  }
  made->database = std::move(*database);
  made->names = std::move(*names);
  made->sums = std::move(*sums);
  made->packs = std::move(*packs);
  made->mark = FileMark::of(path);
  return made;
}

/// A call of the batch and where its row is looked for first.
struct Placed {
  std::int64_t key = 0;
  std::uint32_t call = 0;
  IdBytes id{};
};

class SqliteLedger final : public LedgerStore {
 public:
  SqliteLedger(std::string path, std::uint64_t instance)
      : path_(std::move(path)), instance_(static_cast<std::int64_t>(instance)) {}

  Result<void> connect();
  Result<void> append(const LedgerBatch& batch) override;
  void set_pause(std::function<void()> pause) override { pause_ = std::move(pause); }
  Result<void> upkeep(std::int64_t now_unix_ms) override;
  std::uint64_t calls_written() const override { return calls_written_; }
  Result<std::optional<std::uint64_t>> calls_of(std::uint64_t instance) override;
  Result<void> note_lost(std::uint64_t instance, std::uint64_t calls) override;

 private:
  Result<void> ready();
  Error give_up();
  bool write(const LedgerBatch& batch);
  bool write_call(const LedgerBatch& batch, const Placed& placed);
  /// True in `is_new` when the row was not there; `key` is then its own.
  bool insert_call(const CallRow& call, const IdBytes& id, std::int64_t& key, bool& is_new);
  void bind_attempt(Statement& statement, int at, const AttemptRow& attempt, std::int64_t target);
  bool write_attempts(const LedgerBatch& batch, const CallRow& call, std::int64_t key, std::int64_t hour,
                      std::int64_t call_who, Sums& call_sums);

  std::string path_;
  std::function<void()> pause_;
  std::int64_t instance_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t calls_written_ = 0;
  std::uint64_t written_elsewhere_ = 0;  ///< into files that were moved away since
  std::int64_t new_calls_ = 0;           ///< of the transaction that runs
  std::int64_t inline_target_ = 0;
  std::vector<Placed> placed_;
  std::string saved_;
  PhasesMemory phases_{};
};

Result<void> SqliteLedger::connect() {
  auto opened = Connection::open(path_);
  if (!opened) return std::unexpected(opened.error());
  Database& database = (*opened)->database;
  auto note = database.prepare("INSERT INTO instances VALUES(?,?,0,0) ON CONFLICT DO NOTHING");
  if (!note) return std::unexpected(note.error());
  note->bind(0, instance_);
  note->bind(1, unix_milliseconds());
  if (!note->run()) return std::unexpected(database.error());
  connection_ = std::move(*opened);
  const auto counted = calls_of(static_cast<std::uint64_t>(instance_));
  if (!counted) return std::unexpected(counted.error());
  written_elsewhere_ = calls_written_ - counted->value_or(0);
  return {};
}

Result<void> SqliteLedger::ready() {
  if (connection_ != nullptr && connection_->mark != FileMark::of(path_)) {
    log::warning("stores.ledger: {} was moved or deleted while it was written; a new one is made", path_);
    connection_.reset();
  }
  return connection_ != nullptr ? Result<void>{} : connect();
}

/// Says what went wrong and makes sure that nothing of the transaction stays.
Error SqliteLedger::give_up() {
  const Error error = connection_->database.error();
  const int code = connection_->database.error_code() & 0xff;
  if (sqlite3_get_autocommit(connection_->database.handle()) == 0) connection_->rollback.run();
  connection_->names.forget();
  // A full disk or a lock goes by; after anything else the file is looked at anew.
  if (code != SQLITE_FULL && code != SQLITE_BUSY && code != SQLITE_LOCKED) connection_.reset();
  return error;
}

Result<void> SqliteLedger::append(const LedgerBatch& batch) {
  if (auto open = ready(); !open) return open;
  if (!connection_->begin.run() || !write(batch)) return std::unexpected(give_up());
  return {};
}

bool SqliteLedger::write(const LedgerBatch& batch) {
  connection_->sums.clear();
  if (!connection_->packs.begin()) return false;
  new_calls_ = 0;
  // In the order of their keys: rows are then appended at the end of the table, also when workers took turns.
  placed_.resize(batch.calls.size());
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    parse_id(batch.calls[i].id.text(), placed_[i].id);
    placed_[i].key = key_of(placed_[i].id);
    placed_[i].call = static_cast<std::uint32_t>(i);
  }
  std::ranges::sort(placed_, {}, &Placed::key);
  std::size_t in_piece = 0;
  for (const Placed& placed : placed_) {
    if (in_piece++ == kRowsPerPiece && pause_) {
      pause_();
      in_piece = 1;
    }
    if (!write_call(batch, placed)) return false;
  }
  if (!connection_->sums.write() || !connection_->packs.outdate_late()) return false;
  Statement& count = connection_->count;
  count.bind(0, instance_);
  count.bind(1, new_calls_);
  count.bind(2, unix_milliseconds());
  const bool counted = count.step() == SQLITE_ROW;
  const auto calls = counted ? static_cast<std::uint64_t>(count.number(0)) : 0;
  count.reset();
  if (!counted || !connection_->commit.run()) return false;
  calls_written_ = written_elsewhere_ + calls;
  return true;
}

bool SqliteLedger::write_call(const LedgerBatch& batch, const Placed& placed) {
  Names& names = connection_->names;
  const CallRow& call = batch.calls[placed.call];
  const IdBytes& id = placed.id;
  std::int64_t key = placed.key;
  const std::int64_t who = names.who(call, call.model, call.provider);
  if (who < 0) return false;

  Statement& row = connection_->insert_call;
  row.bind_blob(1, {reinterpret_cast<const char*>(id.data()), id.size()});
  row.bind(2, who);
  row.bind(3, pack_call_end(call));
  row.bind(5, call.took_us);
  call.first_byte_us < 0 ? row.bind_null(6) : row.bind(6, call.first_byte_us);
  const std::int64_t user = call.user.empty() ? 0 : user_hash(call.user);
  user == 0 ? row.bind_null(7) : row.bind(7, user);
  row.bind(8, call.messages);
  row.bind(9, call.client_retry);
  row.bind(10, static_cast<std::int64_t>(call.prompt_bytes));
  row.bind(11, static_cast<std::int64_t>(call.system_hash));
  row.bind(12, static_cast<std::int64_t>(call.prompt_hash));
  row.bind_text_or_null(13, call.tags);
  row.bind_text_or_null(14, call.request_id);
  pack_savings(call.saved, saved_);
  row.bind_text_or_null(15, saved_);
  row.bind(16, call.attempts);
  inline_target_ = 0;
  if (call.attempts == 1) {
    const AttemptRow& attempt = batch.attempts[call.first_attempt];
    inline_target_ = names.target(attempt);
    if (inline_target_ < 0) return false;
    bind_attempt(row, 17, attempt, inline_target_);
  } else {
    for (int at = 17; at < 27; ++at) row.bind_null(at);
  }
  bool is_new = false;
  if (!insert_call(call, id, key, is_new)) return false;
  if (!is_new) return true;

  ++new_calls_;
  connection_->packs.note(key);
  const std::int64_t hour = ms_of_key(key) / kHourMs;
  if (!names.note_user(user, call.user, hour)) return false;
  Sums& sums = connection_->sums.at(hour, who, call.outcome, call.failure);
  sums.add_call(call, batch.attempts_of(call));
  if (!write_attempts(batch, call, key, hour, who, sums)) return false;
  if (call.text_until_unix_ms == 0) return true;
  Statement& text = connection_->insert_text;
  text.bind(0, key);
  text.bind(1, call.text_until_unix_ms);
  text.bind_text_or_null(2, call.request_text);
  text.bind_text_or_null(3, call.reply_text);
  return text.run();
}

bool SqliteLedger::insert_call(const CallRow& call, const IdBytes& id, std::int64_t& key, bool& is_new) {
  Statement& row = connection_->insert_call;
  while (true) {
    row.bind(0, key);
    row.bind(4, call.started_unix_ms - ms_of_key(key));
    if (!row.run()) return false;
    is_new = sqlite3_changes(connection_->database.handle()) != 0;
    if (is_new) return true;
    // Somebody is there: the same call, given again, or one whose id has the same end.
    Statement& at = connection_->id_at;
    at.bind(0, key);
    const bool found = at.step() == SQLITE_ROW;
    const bool same = found && at.text(0) == std::string_view{reinterpret_cast<const char*>(id.data()), id.size()};
    at.reset();
    if (!found) return false;
    if (same) return true;
    ++key;
  }
}

void SqliteLedger::bind_attempt(Statement& statement, int at, const AttemptRow& attempt, std::int64_t target) {
  statement.bind(at, target);
  statement.bind(at + 1, pack_attempt_end(attempt));
  statement.bind(at + 2, attempt.usage.uncached);
  statement.bind(at + 3, attempt.usage.cache_read);
  statement.bind(at + 4, attempt.usage.cache_write);
  statement.bind(at + 5, attempt.usage.output - attempt.usage.reasoning);
  statement.bind(at + 6, attempt.usage.reasoning);
  statement.bind(at + 7, attempt.cost.value);
  statement.bind_text_or_null(at + 8, attempt.provider_request_id);
  statement.bind_blob(at + 9, pack_phases(attempt, phases_));
}

bool SqliteLedger::write_attempts(const LedgerBatch& batch, const CallRow& call, std::int64_t key, std::int64_t hour,
                                  std::int64_t call_who, Sums& call_sums) {
  std::int64_t number = 0;
  for (const AttemptRow& attempt : batch.attempts_of(call)) {
    ++number;
    const bool as_call = attempt.model == call.model && attempt.provider == call.provider;
    const std::int64_t who = as_call ? call_who : connection_->names.who(call, attempt.model, attempt.provider);
    const std::int64_t target = call.attempts == 1 ? inline_target_ : connection_->names.target(attempt);
    if (who < 0 || target < 0) return false;
    Sums& sums = as_call && attempt.failure == call.failure
                     ? call_sums
                     : connection_->sums.at(hour, who, call.outcome, attempt.failure);
    sums.add_attempt(attempt);
    connection_->sums.at_target(hour, target).add_attempt(attempt, number == call.attempts);
    if (call.attempts == 1) return true;
    Statement& row = connection_->insert_attempt;
    row.bind(0, key);
    row.bind(1, number);
    bind_attempt(row, 2, attempt, target);
    if (!row.run()) return false;
  }
  return true;
}

Result<void> SqliteLedger::upkeep(std::int64_t now_unix_ms) {
  if (auto open = ready(); !open) return open;
  Database& database = connection_->database;
  auto remove = database.prepare(
      "DELETE FROM texts WHERE call IN (SELECT call FROM texts WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)");
  if (!remove) return std::unexpected(give_up());
  remove->bind(0, now_unix_ms);
  remove->bind(1, kTextsPerDelete);
  int deleted = 0;
  for (int i = 0; i < kDeletesPerUpkeep; ++i) {
    if (!remove->run()) return std::unexpected(give_up());
    const int changes = sqlite3_changes(database.handle());
    deleted += changes;
    if (changes < kTextsPerDelete) break;
  }
  // Their bytes are overwritten in the file (secure_delete); the log still has them until it is emptied.
  if (deleted > 0) {
    sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  }
  if (!connection_->packs.make(now_unix_ms, Clock::now() + kPacksPerUpkeep)) return std::unexpected(give_up());
  return {};
}

Result<std::optional<std::uint64_t>> SqliteLedger::calls_of(std::uint64_t instance) {
  if (connection_ == nullptr) {
    if (auto open = ready(); !open) return std::unexpected(open.error());
  }
  auto find = connection_->database.prepare("SELECT calls FROM instances WHERE id = ?");
  if (!find) return std::unexpected(give_up());
  find->bind(0, static_cast<std::int64_t>(instance));
  const int code = find->step();
  if (code == SQLITE_ROW) return static_cast<std::uint64_t>(find->number(0));
  if (code == SQLITE_DONE) return std::nullopt;
  return std::unexpected(connection_->database.error());
}

Result<void> SqliteLedger::note_lost(std::uint64_t instance, std::uint64_t calls) {
  if (auto open = ready(); !open) return open;
  auto note = connection_->database.prepare(
      "INSERT INTO instances VALUES(?1,0,0,?2) ON CONFLICT DO UPDATE SET lost = excluded.lost");
  if (!note) return std::unexpected(give_up());
  note->bind(0, static_cast<std::int64_t>(instance));
  note->bind(1, static_cast<std::int64_t>(calls));
  if (!note->run()) return std::unexpected(connection_->database.error());
  return {};
}

}  // namespace

Result<std::unique_ptr<LedgerStore>> open_sqlite_ledger(const std::string& path, std::uint64_t instance) {
  auto ledger = std::make_unique<SqliteLedger>(path, instance);
  if (auto connected = ledger->connect(); !connected) return std::unexpected(connected.error());
  return ledger;
}

}  // namespace weir::store
