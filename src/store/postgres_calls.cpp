#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <functional>
#include <string>
#include <unordered_map>

#include "base/json_writer.hpp"
#include "store/postgres_reader.hpp"

namespace weir::store {
namespace {

// The part of PostgresReader that gives rows back as they were written.

constexpr const char* kCalls =
    "SELECT c.id, c.request_id, c.route, c.task, c.model, c.provider, c.key_name, c.group_name, c.user_name, c.tags, "
    "c.outcome, c.failure, c.phase, c.started_ms, c.took_us, c.first_byte_us, c.status, c.stream, c.raw, "
    "c.client_retry, "
    "c.messages, c.prompt_bytes, c.system_hash, c.prompt_hash, t.request, t.reply, t.until_ms, "
    "(SELECT string_agg(s.cause || '=' || s.saved, ',') FROM weir_savings s WHERE s.call_id = c.id), {} "
    "FROM weir_calls c LEFT JOIN weir_texts t ON t.call_id = c.id ";

constexpr const char* kAttempts =
    "SELECT call_id, provider, model, reply_model, provider_request_id, key_index, failure, phase, status, "
    "usage_reported, usage_estimated, price_known, wasted, may_have_been_billed, reused_connection, uncached, "
    "cache_read, "
    "cache_write, output, reasoning, cost, price_input, price_output, price_cache_read, price_cache_write, "
    "array_to_string(phases_us, ',') FROM weir_attempts WHERE call_id = ANY($1::uuid[]) ORDER BY call_id, number";

/// `names` has one name per value; one that a later weir has written becomes `otherwise`.
template <class Value, class Names, class NameOf>
Value value_named(std::string_view name, const Names& names, NameOf name_of_entry, Value otherwise) {
  const auto at = std::ranges::find(names, name, name_of_entry);
  return at == names.end() ? otherwise : static_cast<Value>(at - names.begin());
}
Failure failure_named(std::string_view name) {
  return value_named(name, kFailures, &FailureRow::name, Failure::gateway_bug);
}
Phase phase_named(std::string_view name) {
  return value_named(name, kPhaseNames, std::identity{}, Phase::none);
}
Outcome outcome_named(std::string_view name) {
  return value_named(name, kOutcomeNames, std::identity{}, Outcome::gateway_error);
}

/// Calls `use` with each part of "a,b,c".
template <class Use>
void each_part(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    use(list.substr(0, comma));
    list.remove_prefix(std::min(list.size(), comma + 1));
  }
}
std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// As the database writes a uuid, or empty if `id` is none.
std::string uuid_of(std::string_view id) {
  if (id.size() != 36) return {};
  std::string uuid(id);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    char& c = uuid[i];
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return {};
  }
  return uuid;
}

CallId id_of(std::string_view uuid) {
  std::array<char, 36> text{};
  static_assert(sizeof(CallId) == sizeof text);
  std::ranges::copy(uuid.substr(0, text.size()), text.begin());
  return std::bit_cast<CallId>(text);
}

CallRow call_of(const PostgresRows& rows, int row, LedgerBatch& batch) {
  CallRow call;
  call.id = id_of(rows.text(row, 0));
  int column = 1;
  for (std::string_view* const text : {&call.request_id, &call.route, &call.task, &call.model, &call.provider,
                                       &call.key, &call.group, &call.user, &call.tags}) {
    *text = batch.keep(rows.text(row, column++));
  }
  call.outcome = outcome_named(rows.text(row, 10));
  call.failure = failure_named(rows.text(row, 11));
  call.phase = phase_named(rows.text(row, 12));
  call.started_unix_ms = rows.number(row, 13);
  call.took_us = rows.number(row, 14);
  call.first_byte_us = rows.number(row, 15);
  call.status = static_cast<std::uint16_t>(rows.number(row, 16));
  call.stream = rows.boolean(row, 17);
  call.raw = rows.boolean(row, 18);
  call.client_retry = static_cast<std::uint32_t>(rows.number(row, 19));
  call.messages = static_cast<std::uint32_t>(rows.number(row, 20));
  call.prompt_bytes = static_cast<std::uint64_t>(rows.number(row, 21));
  call.system_hash = static_cast<std::uint64_t>(rows.number(row, 22));
  call.prompt_hash = static_cast<std::uint64_t>(rows.number(row, 23));
  call.request_text = batch.keep(rows.text(row, 24));
  call.reply_text = batch.keep(rows.text(row, 25));
  call.text_until_unix_ms = rows.number(row, 26);
  call.reask = rows.boolean(row, 28);
  each_part(rows.text(row, 27), [&](std::string_view part) {
    const std::size_t equals = std::min(part.find('='), part.size() - 1);
    const auto cause = std::ranges::find(kSavingCauseNames, part.substr(0, equals));
    if (cause == kSavingCauseNames.end()) return;
    call.saved.by[static_cast<std::size_t>(cause - kSavingCauseNames.begin())].value =
        number_of(part.substr(equals + 1));
  });
  return call;
}

AttemptRow attempt_of(const PostgresRows& rows, int row, LedgerBatch& batch) {
  AttemptRow attempt;
  int column = 1;
  for (std::string_view* const text :
       {&attempt.provider, &attempt.model, &attempt.reply_model, &attempt.provider_request_id}) {
    *text = batch.keep(rows.text(row, column++));
  }
  attempt.key_index = static_cast<std::uint32_t>(rows.number(row, 5));
  attempt.failure = failure_named(rows.text(row, 6));
  attempt.phase = phase_named(rows.text(row, 7));
  attempt.status = static_cast<std::uint16_t>(rows.number(row, 8));
  column = 9;
  for (bool* const flag : {&attempt.usage.reported, &attempt.usage.estimated, &attempt.price_known, &attempt.wasted,
                           &attempt.may_have_been_billed, &attempt.reused_connection}) {
    *flag = rows.boolean(row, column++);
  }
  for (std::int64_t* const value :
       {&attempt.usage.uncached, &attempt.usage.cache_read, &attempt.usage.cache_write, &attempt.usage.output,
        &attempt.usage.reasoning, &attempt.cost.value, &attempt.price.input.value, &attempt.price.output.value,
        &attempt.price.cache_read.value, &attempt.price.cache_write.value}) {
    *value = rows.number(row, column++);
  }
  std::size_t phase = 0;
  each_part(rows.text(row, 25), [&](std::string_view part) {
    if (phase < attempt.phases_us.size()) attempt.phases_us[phase++] = number_of(part);
  });
  return attempt;
}

}  // namespace

std::string PostgresReader::calls_sql() const {
  return fmt::format(kCalls, reask());
}

Result<LedgerBatch> PostgresReader::calls_of(const std::string& sql, std::span<const char* const> parameters) {
  const auto rows = ask(sql, parameters);
  if (!rows) return std::unexpected(rows.error());
  LedgerBatch batch;
  std::string ids = "{";
  for (int row = 0; row < rows->count(); ++row) {
    batch.calls.push_back(call_of(*rows, row, batch));
    ids.append(row == 0 ? "" : ",").append(rows->text(row, 0));
  }
  ids += '}';
  const char* const of_these[] = {ids.c_str()};
  const auto attempts = ask(kAttempts, of_these);
  if (!attempts) return std::unexpected(attempts.error());
  struct Stretch {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  std::unordered_map<std::string_view, Stretch> stretches;
  for (int row = 0; row < attempts->count(); ++row) {
    Stretch& stretch =
        stretches.try_emplace(attempts->text(row, 0), Stretch{static_cast<std::uint32_t>(row)}).first->second;
    ++stretch.count;
    batch.attempts.push_back(attempt_of(*attempts, row, batch));
  }
  for (CallRow& call : batch.calls) {
    const auto at = stretches.find(call.id.text());
    if (at == stretches.end()) continue;
    call.first_attempt = at->second.first;
    call.attempts = at->second.count;
  }
  return batch;
}

Result<LedgerBatch> PostgresReader::find_calls(std::string_view id, std::int64_t since_unix_ms, std::size_t calls_max) {
  if (id.empty() || id.find('\0') != std::string_view::npos) return LedgerBatch();
  const std::string text = valid_utf8(id);  // as it was written
  const std::string uuid = uuid_of(id);
  const std::string since = fmt::format("{}", since_unix_ms);
  const char* const parameters[] = {text.c_str(), since.c_str(), uuid.empty() ? nullptr : uuid.c_str()};
  // Two look-ups by index; an OR over both would read all calls.
  return calls_of(
      fmt::format("{}WHERE c.id IN (SELECT id FROM weir_calls WHERE id = $3::uuid UNION SELECT id FROM weir_calls "
                  "WHERE request_id = $1::text AND request_id <> '' AND started_ms >= $2::bigint) "
                  "ORDER BY c.started_ms DESC, c.id DESC LIMIT {}",
                  calls_sql(), calls_max),
      parameters);
}

Result<LedgerBatch> PostgresReader::recent_calls(std::size_t calls_max) {
  // Ids sort by time: the newest are at the end of the primary key.
  return calls_of(fmt::format("{}ORDER BY c.id DESC LIMIT {}", calls_sql(), calls_max), {});
}

}  // namespace weir::store
