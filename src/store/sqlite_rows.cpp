#include "store/sqlite_rows.hpp"

#include <utility>

#include "store/sqlite_coding.hpp"

namespace weir::store::sqlite {

Result<RowReader> RowReader::prepare(Database& database) {
  RowReader reader;
  const std::pair<Statement&, std::string_view> all[] = {
      {reader.find_name_, "SELECT text FROM names WHERE id = ?"},
      {reader.find_who_, "SELECT route, task, model, provider, key, grp FROM who WHERE id = ?"},
      {reader.find_target_,
       "SELECT provider, model, reply_model, key_index, price_known, input, output, cache_read, cache_write FROM "
       "targets t JOIN prices p ON p.id = t.price WHERE t.id = ?"},
      {reader.find_user_, "SELECT text FROM users WHERE hash = ?"},
      {reader.attempts_,
       "SELECT target, attempt_ended, uncached, cache_read, cache_write, output, reasoning, cost, provider_request_id, "
       "phases FROM attempt_rows WHERE call = ? ORDER BY number"},
      {reader.texts_, "SELECT until_ms, request, reply FROM texts WHERE call = ?"},
  };
  for (const auto& [to, sql] : all) {
    auto statement = database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    to = std::move(*statement);
  }
  return reader;
}

const std::string& RowReader::name(std::int64_t id) {
  const auto [at, is_new] = names_.try_emplace(id);
  if (is_new) {
    find_name_.bind(0, id);
    if (find_name_.step() == SQLITE_ROW) at->second = find_name_.text(0);
    find_name_.reset();
  }
  return at->second;
}

const RowReader::Who& RowReader::who(std::int64_t id) {
  const auto [at, is_new] = who_.try_emplace(id);
  if (is_new) {
    find_who_.bind(0, id);
    if (find_who_.step() == SQLITE_ROW) {
      for (int i = 0; i < 6; ++i) at->second[static_cast<std::size_t>(i)] = name(find_who_.number(i));
    }
    find_who_.reset();
  }
  return at->second;
}

const RowReader::Target& RowReader::target(std::int64_t id) {
  const auto [at, is_new] = targets_.try_emplace(id);
  if (is_new) {
    Statement& find = find_target_;
    find.bind(0, id);
    if (find.step() == SQLITE_ROW) {
      at->second = {name(find.number(0)),
                    name(find.number(1)),
                    name(find.number(2)),
                    static_cast<std::uint32_t>(find.number(3)),
                    {{find.number(5)}, {find.number(6)}, {find.number(7)}, {find.number(8)}},
                    find.number(4) != 0};
    }
    find.reset();
  }
  return at->second;
}

std::string RowReader::user(std::int64_t hash) {
  find_user_.bind(0, hash);
  std::string text;
  if (find_user_.step() == SQLITE_ROW) text = find_user_.text(0);
  find_user_.reset();
  return text;
}

void RowReader::add_attempt(const Statement& row, int at, LedgerBatch& batch) {
  AttemptRow& attempt = batch.attempts.emplace_back();
  const Target& to = target(row.number(at));
  attempt.provider = batch.keep(to.provider);
  attempt.model = batch.keep(to.model);
  attempt.reply_model = batch.keep(to.reply_model);
  attempt.key_index = to.key_index;
  attempt.price = to.price;
  unpack_attempt_end(row.number(at + 1), attempt);
  attempt.price_known = to.price_known;
  attempt.usage.uncached = row.number(at + 2);
  attempt.usage.cache_read = row.number(at + 3);
  attempt.usage.cache_write = row.number(at + 4);
  attempt.usage.reasoning = row.number(at + 6);
  attempt.usage.output = row.number(at + 5) + attempt.usage.reasoning;
  attempt.cost = {row.number(at + 7)};
  attempt.provider_request_id = batch.keep(row.text(at + 8));
  unpack_phases(row.text(at + 9), attempt);
}

bool RowReader::add(const Statement& row, LedgerBatch& batch, bool texts) {
  CallRow call;
  const std::int64_t key = row.number(0);
  call.id = id_from(row.text(1));
  const Who& who_it_was = who(row.number(2));
  call.route = batch.keep(who_it_was[0]);
  call.task = batch.keep(who_it_was[1]);
  call.model = batch.keep(who_it_was[2]);
  call.provider = batch.keep(who_it_was[3]);
  call.key = batch.keep(who_it_was[4]);
  call.group = batch.keep(who_it_was[5]);
  unpack_call_end(row.number(3), call);
  call.started_unix_ms = ms_of_key(key) + row.number(4);
  call.took_us = row.number(5);
  call.first_byte_us = row.is_null(6) ? -1 : row.number(6);
  if (!row.is_null(7)) call.user = batch.keep(user(row.number(7)));
  call.messages = static_cast<std::uint32_t>(row.number(8));
  call.client_retry = static_cast<std::uint32_t>(row.number(9));
  call.prompt_bytes = static_cast<std::uint64_t>(row.number(10));
  call.system_hash = static_cast<std::uint64_t>(row.number(11));
  call.prompt_hash = static_cast<std::uint64_t>(row.number(12));
  call.tags = batch.keep(row.text(13));
  call.request_id = batch.keep(row.text(14));
  call.saved = unpack_savings(row.text(15));
  call.first_attempt = static_cast<std::uint32_t>(batch.attempts.size());
  call.attempts = static_cast<std::uint32_t>(row.number(16));
  if (call.attempts == 1) {
    add_attempt(row, 17, batch);
  } else if (call.attempts > 1) {
    attempts_.bind(0, key);
    int code = SQLITE_ROW;
    while ((code = attempts_.step()) == SQLITE_ROW) add_attempt(attempts_, 0, batch);
    attempts_.reset();
    if (code != SQLITE_DONE) return false;
    call.attempts = static_cast<std::uint32_t>(batch.attempts.size()) - call.first_attempt;
  }
  if (texts) {
    texts_.bind(0, key);
    if (texts_.step() == SQLITE_ROW) {
      call.text_until_unix_ms = texts_.number(0);
      call.request_text = batch.keep(texts_.text(1));
      call.reply_text = batch.keep(texts_.text(2));
    }
    texts_.reset();
  }
  batch.calls.push_back(call);
  return true;
}

}  // namespace weir::store::sqlite
