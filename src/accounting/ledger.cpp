#include "accounting/ledger.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <csignal>

#include <utility>

#include <fmt/format.h>

#include <weir/base/log.hpp>
#include <weir/base/random.hpp>

namespace weir::accounting {
namespace {

/// Books what processes that died left behind; how many of their calls never became rows.
std::uint64_t book_lost(store::LedgerStore& store, const std::string& prefix) {
  std::uint64_t lost_in_all = 0;
  for (const CallTally::Left& left : CallTally::left_behind(prefix)) {
    const auto written = store.calls_of(left.instance);
    if (!written) {
      log::warning("{}; {} stays until the calls it counts can be compared", written.error().message, left.path);
      continue;
    }
    if (!*written) {
      log::warning(
          "stores.ledger: an earlier weir ended {} calls without a proper end; this ledger does not know it, so "
          "how many of them are missing cannot be said",
          left.ended);
    } else {
      const std::uint64_t lost = left.ended > **written ? left.ended - **written : 0;
      lost_in_all += lost;
      log::warning("stores.ledger: an earlier weir died; {} of the {} calls that it ended are missing in the ledger",
                   lost, left.ended);
      if (const auto noted = store.note_lost(left.instance, lost); !noted) {
        log::warning("{}", noted.error().message);
        continue;
      }
    }
    ::unlink(left.path.c_str());
  }
  return lost_in_all;
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const LedgerSettings& settings, std::size_t workers) {
  if (settings.to == "off") {
    std::unique_ptr<Ledger> off{new Ledger};
    off->recorders_.resize(workers);
    return off;
  }
  const std::uint64_t instance = Random().next() >> 1;  // SQL's integers have a sign
  const bool postgres = settings.to.starts_with("postgres://") || settings.to.starts_with("postgresql://");
  if (!postgres && settings.to.find("://") != std::string::npos) {
    return failure("stores.ledger: must be a file's path, postgres://…, or off");
  }
  auto store = postgres ? store::open_postgres_ledger(settings.to, settings.folder, instance)
                        : store::open_sqlite_ledger(settings.to, instance);
  if (!store) return std::unexpected(store.error());
  return over(std::move(*store), instance, postgres ? settings.folder + "/weir.ledger" : settings.to, workers);
}

Result<std::unique_ptr<Ledger>> Ledger::over(std::unique_ptr<store::LedgerStore> store, std::uint64_t instance,
                                             const std::string& prefix, std::size_t workers,
                                             std::size_t waiting_bytes_max) {
  const std::uint64_t lost = book_lost(*store, prefix);
  auto tally = CallTally::make(prefix, instance, workers);
  if (!tally) return std::unexpected(tally.error());
  std::unique_ptr<Ledger> ledger{new Ledger};
  ledger->state_ = std::make_shared<State>();
  State& state = *ledger->state_;
  state.tally = std::move(*tally);
  state.counters.lost_at_last_start = lost;
  state.queue = std::make_unique<LedgerQueue>(std::move(store), state.counters, waiting_bytes_max);
  ledger->instance_ = instance;
  for (std::size_t i = 0; i < workers; ++i) ledger->recorders_.emplace_back(*state.queue, state.tally->ended(i));
  sigset_t all;  // signals are the main thread's
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  ledger->thread_ = std::thread{[state = ledger->state_] {
    // Calls come first where both want one processor: a transaction of a thousand rows takes milliseconds. Linux counts
    // niceness per thread.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 5);
    state->queue->run();
  }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return ledger;
}

Ledger::~Ledger() {
  stop(std::chrono::seconds{1});
}

const LedgerCounters& Ledger::counters() const {
  static const LedgerCounters none;
  return state_ != nullptr ? state_->counters : none;
}

void Ledger::stop(std::chrono::milliseconds within) {
  if (!thread_.joinable()) return;
  for (LedgerRecorder& recorder : recorders_) recorder.tick();
  if (!state_->queue->stop(Clock::now() + within)) {
    log::error("stores.ledger: the disk or database does not answer; {} calls are left unwritten",
               state_->counters.waiting.load());
    thread_.detach();
    return;  // the count's file stays: the next start compares
  }
  thread_.join();
  const std::uint64_t ended = state_->tally->sum();
  const std::uint64_t written = state_->counters.written;
  const std::uint64_t lost = ended > written ? ended - written : 0;
  if (lost > 0) {
    log::error("stores.ledger: {} of {} calls could not be written and are lost", lost, ended);
    if (!state_->queue->store().note_lost(instance_, lost)) return;
  }
  state_->tally->remove();
}

}  // namespace weir::accounting
