#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "store/postgres_ledger.hpp"

#include <weir/base/log.hpp>

namespace weir::store {

// The part of PostgresLedger that has to do with files.

Result<void> PostgresLedger::spool(std::string_view document, std::uint64_t calls) {
  if (spool_bytes() + document.size() > limits_.spool_bytes) {
    return failure(fmt::format("stores.ledger: PostgreSQL at {} is away and its spool in {} is full ({} MiB)", place_,
                               folder_, limits_.spool_bytes >> 20));
  }
  const std::string path = postgres_spool_file(folder_, instance_);
  // A neighbour that looks for left-over files may hold the new one for a moment, and remove it because it is empty.
  for (int tries = 0; !own_; ++tries) {
    auto made = PostgresSpool::open(path, true);
    if (!made) return std::unexpected(made.error());
    own_ = std::move(*made);
    if (own_) break;
    if (tries == 3) {
      return failure(
          fmt::format("stores.ledger: {} is held by another process; two weirs have the same instance", path));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (auto kept = own_->append(document, calls); !kept) return kept;
  count_spooled();
  return {};
}

void PostgresLedger::adopt_spools() {
  const std::string own = postgres_spool_file(folder_, instance_);
  for (const std::string& path : postgres_spool_files(folder_)) {
    // flock() belongs to the open file: our own files would look like another's.
    const auto same = [&](const auto& spool) { return spool && spool->path() == path; };
    if (same(own_) || std::ranges::any_of(left_over_, same)) continue;
    auto spool = PostgresSpool::open(path, false);
    if (!spool) {
      log::error("{}; the calls in it are not written", spool.error().message);
      continue;
    }
    if (!*spool) continue;  // its weir lives
    if ((*spool)->torn_bytes() > 0) {
      ++torn_;
      log::warning("stores.ledger: the last {} bytes of {} were torn by a crash and are left out",
                   (*spool)->torn_bytes(), path);
    }
    if ((*spool)->empty()) {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    } else if (path == own) {
      own_ = std::move(*spool);
    } else {
      left_over_.push_back(std::move(*spool));
    }
  }
  count_spooled();
}

void PostgresLedger::replay(TimePoint deadline) {
  while (connection_ && Clock::now() < deadline) {
    std::unique_ptr<PostgresSpool>& spool = left_over_.empty() ? own_ : left_over_.front();
    if (!spool) return;
    const auto document = spool->oldest();
    if (!document || !document->sound) {
      ++torn_;
      log::error("stores.ledger: a batch in {} cannot be read back; {} calls are lost", spool->path(),
                 document ? document->calls : 0);
    } else if (deliver(document->text, postgres_spool_instance(spool->path()), Clock::now() + limits_.statement) !=
               Sent::done) {
      return;
    }
    spool->done();
    if (spool->empty()) {
      if (left_over_.empty()) {
        own_.reset();
      } else {
        left_over_.erase(left_over_.begin());
      }
    }
    count_spooled();
  }
}

void PostgresLedger::count_spooled() {
  std::uint64_t calls = own_ ? own_->calls() : 0;
  for (const auto& spool : left_over_) calls += spool->calls();
  spooled_.store(calls, std::memory_order_relaxed);
}

std::uint64_t PostgresLedger::spool_bytes() const {
  std::uint64_t bytes = own_ ? own_->bytes() : 0;
  for (const auto& spool : left_over_) bytes += spool->bytes();
  return bytes;
}

}  // namespace weir::store
