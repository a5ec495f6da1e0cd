#include "accounting/ledger_recorder.hpp"

#include <weir/base/clock.hpp>
#include "accounting/ledger_queue.hpp"

namespace weir::accounting {
namespace {

constexpr std::size_t kBatchBytesMax = 1U << 20;  // handed over at once: kept texts do not pile up until the tick

const store::CallRow kNoCall;
const store::AttemptRow kNoAttempt;

std::int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

/// Most labels are the same as the last call's: then its bytes serve again.
std::string_view LedgerRecorder::label(std::string_view text, std::string_view before) {
  if (text.empty()) return "none";
  return text == before ? before : batch_.keep(text);
}

void LedgerRecorder::add_attempt(const Attempt& attempt) {
  const bool first = batch_.attempts.empty();
  store::AttemptRow& row = batch_.attempts.emplace_back();
  const store::AttemptRow& before = first ? kNoAttempt : *(&row - 1);
  row.provider = label(attempt.provider, before.provider);
  row.model = label(attempt.model, before.model);
  row.reply_model = attempt.reply_model.empty() ? std::string_view{} : label(attempt.reply_model, before.reply_model);
  row.provider_request_id = batch_.keep(attempt.provider_request_id);
  row.key_index = attempt.key_index;
  for (std::size_t i = 0; i < row.phases_us.size(); ++i) row.phases_us[i] = microseconds(attempt.phases[i]);
  row.failure = attempt.failure;
  row.phase = attempt.phase;
  row.status = attempt.provider_status;
  row.usage = attempt.usage;
  row.cost = attempt.cost;
  if (attempt.price != nullptr) row.price = *attempt.price;
  row.price_known = attempt.price_known;
  row.wasted = attempt.wasted;
  row.may_have_been_billed = attempt.may_have_been_billed;
  row.reused_connection = attempt.reused_connection;
}

void LedgerRecorder::call_ended(const Exchange& exchange) {
  if (queue_ == nullptr) return;
  const bool first = batch_.calls.empty();
  const auto first_attempt = static_cast<std::uint32_t>(batch_.attempts.size());
  for (const Attempt& attempt : exchange.attempts) add_attempt(attempt);

  store::CallRow& row = batch_.calls.emplace_back();
  const store::CallRow& before = first ? kNoCall : *(&row - 1);
  const bool tried = !exchange.attempts.empty();
  const Target& target = exchange.plan.target;
  row.id = exchange.id;
  if (exchange.request_id != exchange.id.text()) row.request_id = batch_.keep(exchange.request_id);
  row.started_unix_ms = exchange.started_unix_ms;
  row.took_us = microseconds(exchange.took);
  if (exchange.first_byte_sent != TimePoint{}) {
    row.first_byte_us = microseconds(exchange.first_byte_sent - exchange.started);
  }
  row.route = label(exchange.plan.route, before.route);
  row.task = label(exchange.task, before.task);
  row.model = tried ? batch_.attempts.back().model : label(target.model, before.model);
  row.provider = tried ? batch_.attempts.back().provider : label(target.provider_name, before.provider);
  const Caller* const caller = exchange.caller;
  row.key = label(caller != nullptr ? std::string_view(caller->name) : std::string_view{}, before.key);
  row.group = label(caller != nullptr ? std::string_view(caller->group) : std::string_view{}, before.group);
  row.user = batch_.keep(exchange.user);
  row.tags = batch_.keep(exchange.tags);
  row.outcome = exchange.outcome;
  row.failure = exchange.failure;
  row.phase = exchange.failure_phase;
  row.status = exchange.status;
  row.stream = exchange.request.stream;
  row.raw = exchange.raw;
  row.client_retry = exchange.request.client_retry;
  row.reask = exchange.reask;
  row.messages = exchange.request.messages;
  row.prompt_bytes = exchange.request.prompt_bytes;
  row.system_hash = exchange.request.system_hash;
  row.prompt_hash = exchange.request.prompt_hash;
  row.saved = exchange.saved;
  row.first_attempt = first_attempt;
  row.attempts = static_cast<std::uint32_t>(exchange.attempts.size());
  if (exchange.plan.keep_text > std::chrono::seconds::zero()) {
    row.request_text = batch_.keep(exchange.request.body);
    row.reply_text = batch_.keep(exchange.kept_reply);
    row.text_until_unix_ms = exchange.started_unix_ms + std::chrono::milliseconds(exchange.plan.keep_text).count();
  }
  ended_->store(ended_->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (batch_.text_bytes() > kBatchBytesMax) tick();
}

void LedgerRecorder::tick() {
  if (!batch_.calls.empty()) batch_ = queue_->exchange(std::move(batch_));
}

}  // namespace weir::accounting
