#include "accounting/ledger_queue.hpp"

#include <algorithm>
#include <utility>

#include <weir/base/log.hpp>
#include <weir/exchange/limits.hpp>

namespace weir::accounting {
namespace {

using namespace std::chrono_literals;
using store::LedgerBatch;

constexpr auto kBackOffMin = 100ms;
constexpr auto kBackOffMax = 5'000ms;  // a disk that has room again is noticed soon
constexpr auto kStopRetry = 50ms;
constexpr auto kUpkeepEvery = 60s;
// Work of milliseconds would stand in front of the calls where both share a processor: it is done in pieces of a tenth
// of that. All pauses of a transaction together are short against the 100 ms that kill -9 may cost.
constexpr std::chrono::microseconds kPauseMost{1'000};
constexpr std::chrono::microseconds kPausesOfABatch{20'000};
constexpr std::size_t kSparesMax = 16;
constexpr std::size_t kSpareBytesMax = 1U << 20;  // what a burst left behind is freed

}  // namespace

std::size_t bytes_of(const LedgerBatch& batch) {
  return batch.calls.size() * sizeof(store::CallRow) + batch.attempts.size() * sizeof(store::AttemptRow) +
         batch.text_bytes();
}

void append_rows(LedgerBatch& to, const LedgerBatch& from) {
  // A text that stands at the same place as the row's before is copied once, as the recorder kept it once.
  const auto copy = [&to](auto& rows, const auto& source, std::size_t i, auto member) {
    const std::string_view text = source[i].*member;
    const bool again =
        i > 0 && text.data() == (source[i - 1].*member).data() && text.size() == (source[i - 1].*member).size();
    rows.back().*member = again ? rows[rows.size() - 2].*member : to.keep(text);
  };
  const auto attempts_before = static_cast<std::uint32_t>(to.attempts.size());
  for (std::size_t i = 0; i < from.attempts.size(); ++i) {
    using Row = store::AttemptRow;
    to.attempts.push_back(from.attempts[i]);
    for (const auto text : {&Row::provider, &Row::model, &Row::reply_model, &Row::provider_request_id}) {
      copy(to.attempts, from.attempts, i, text);
    }
  }
  for (std::size_t i = 0; i < from.calls.size(); ++i) {
    using Row = store::CallRow;
    to.calls.push_back(from.calls[i]);
    to.calls.back().first_attempt += attempts_before;
    for (const auto text : {&Row::request_id, &Row::route, &Row::task, &Row::model, &Row::provider, &Row::key,
                            &Row::group, &Row::user, &Row::tags, &Row::request_text, &Row::reply_text}) {
      copy(to.calls, from.calls, i, text);
    }
  }
}

LedgerQueue::LedgerQueue(std::unique_ptr<store::LedgerStore> store, LedgerCounters& counters,
                         std::size_t waiting_bytes_max)
    : store_(std::move(store)), counters_(counters), waiting_bytes_max_(waiting_bytes_max) {
  store_->set_pause([this] { pause(); });
}

/// None where batches pile up: then the ledger must catch up.
void LedgerQueue::choose_pauses(std::size_t calls) {
  const auto pieces = static_cast<std::int64_t>(calls / store::LedgerStore::kRowsPerPiece) + 1;
  pause_ = pending_.size() > 1 || failing_ ? 0us : std::min(kPauseMost, kPausesOfABatch / pieces);
}

void LedgerQueue::pause() {
  if (pause_ == 0us) return;
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, pause_, [this] { return stopping_; });
}

LedgerBatch LedgerQueue::exchange(LedgerBatch filled) {
  const std::size_t bytes = bytes_of(filled);
  const std::size_t calls = filled.calls.size();
  LedgerBatch empty;
  {
    std::lock_guard lock{mutex_};
    if (stopping_ || waiting_bytes_ + bytes > waiting_bytes_max_) {
      counters_.dropped.fetch_add(calls, std::memory_order_relaxed);
      filled.clear();
      return filled;
    }
    waiting_bytes_ += bytes;
    counters_.waiting.fetch_add(calls, std::memory_order_relaxed);
    fresh_.push_back(std::move(filled));
    if (!spares_.empty()) {
      empty = std::move(spares_.back());
      spares_.pop_back();
    }
  }
  changed_.notify_one();
  return empty;
}

/// Small batches become one, so that many workers cost one transaction and rows that wait take no more than they need.
void LedgerQueue::take(std::vector<LedgerBatch>& fresh) {
  for (LedgerBatch& batch : fresh) {
    const std::size_t bytes = bytes_of(batch);
    if (pending_.empty() || pending_.back().bytes + bytes > limits::ledger_transaction_bytes_max) {
      pending_.push_back({std::move(batch), bytes});
    } else {
      append_rows(pending_.back().rows, batch);
      pending_.back().bytes += bytes;
      give_back(std::move(batch));
    }
  }
  fresh.clear();
}

void LedgerQueue::give_back(LedgerBatch batch) {
  if (bytes_of(batch) > kSpareBytesMax) return;
  batch.clear();
  std::lock_guard lock{mutex_};
  if (spares_.size() < kSparesMax) spares_.push_back(std::move(batch));
}

void LedgerQueue::write_pending() {
  while (!pending_.empty()) {
    LedgerBatch& batch = pending_.front().rows;
    choose_pauses(batch.calls.size());
    const auto written = store_->append(batch);
    if (!written) {
      counters_.write_errors.fetch_add(1, std::memory_order_relaxed);
      if (!std::exchange(failing_, true)) {
        log::error("{}. Calls go on and their rows wait in memory; it is tried again until it works",  //
                   written.error().message);
      }
      back_off_ = std::clamp<std::chrono::milliseconds>(back_off_ * 2, kBackOffMin, kBackOffMax);
      retry_at_ = Clock::now() + back_off_;
      return;
    }
    back_off_ = 0ms;
    counters_.written.store(store_->calls_written(), std::memory_order_relaxed);
    counters_.spooled.store(store_->calls_spooled(), std::memory_order_relaxed);
    counters_.rejected.store(store_->calls_rejected(), std::memory_order_relaxed);
    counters_.waiting.fetch_sub(batch.calls.size(), std::memory_order_relaxed);
    const std::size_t bytes = pending_.front().bytes;
    give_back(std::move(batch));
    pending_.pop_front();
    std::lock_guard lock{mutex_};
    waiting_bytes_ -= bytes;
  }
  if (!failing_ && !dropping_) return;
  const std::uint64_t dropped = counters_.dropped.load(std::memory_order_relaxed);
  log::info("stores.ledger: it is written again; {} calls were dropped meanwhile", dropped - dropped_said_);
  dropped_said_ = dropped;
  failing_ = dropping_ = false;
}

void LedgerQueue::upkeep() {
  upkeep_at_ = Clock::now() + kUpkeepEvery;
  if (const auto done = store_->upkeep(unix_milliseconds()); !done) {
    counters_.write_errors.fetch_add(1, std::memory_order_relaxed);
    log::warning("{} (upkeep; tried again in a minute)", done.error().message);
  }
  counters_.spooled.store(store_->calls_spooled(), std::memory_order_relaxed);
  counters_.rejected.store(store_->calls_rejected(), std::memory_order_relaxed);
}

void LedgerQueue::run() {
  std::vector<LedgerBatch> fresh;
  while (true) {
    bool stopping = false;
    {
      std::unique_lock lock{mutex_};
      const TimePoint wake = pending_.empty() ? upkeep_at_ : retry_at_;
      changed_.wait_until(lock, stopping_ ? std::min(wake, Clock::now() + kStopRetry) : wake,
                          [this] { return !fresh_.empty() || (stopping_ && pending_.empty()); });
      fresh.swap(fresh_);
      stopping = stopping_;
    }
    take(fresh);
    if (counters_.dropped.load(std::memory_order_relaxed) != dropped_said_ && !std::exchange(dropping_, true)) {
      log::error("stores.ledger: too much waits for it; new calls are only counted, not written down, until it works");
    }
    if (stopping || Clock::now() >= retry_at_) write_pending();
    if (stopping && (pending_.empty() || Clock::now() >= stop_until_)) break;
    if (!failing_ && Clock::now() >= upkeep_at_) upkeep();
  }
  std::lock_guard lock{mutex_};
  done_ = true;
  changed_.notify_all();
}

bool LedgerQueue::stop(TimePoint until) {
  std::unique_lock lock{mutex_};
  stopping_ = true;
  stop_until_ = until;
  changed_.notify_all();
  return changed_.wait_until(lock, until + kStopRetry + 2s, [this] { return done_; });  // one try may be under way
}

}  // namespace weir::accounting
