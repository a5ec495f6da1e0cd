#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/ledger.hpp"
#include "store/postgres_connection.hpp"
#include "store/postgres_document.hpp"
#include "store/postgres_names.hpp"
#include "store/postgres_spool.hpp"

#include <weir/base/random.hpp>

namespace weir::store {

/// How long and how much. The defaults are what a daemon uses; tests shorten them.
struct PostgresLimits {
  Duration statement = std::chrono::seconds(4);      ///< a little past the session's own limit (postgres_schema.cpp)
  Duration try_again = std::chrono::seconds(1);      ///< all that one append spends on a database that was away
  Duration wait_max = std::chrono::seconds(10);      ///< between two tries, after it has grown
  Duration replay = std::chrono::milliseconds(500);  ///< what one append spends on the spool of a database that is back
  std::uint64_t spool_bytes = 2ULL << 30;            ///< about four million calls without texts
  std::uint64_t rejected_bytes = 64ULL << 20;
};

/// The ledger of several weirs. While the database is away, batches wait in files of `spool_folder`.
///
/// Invariant: append() returns success only when the batch is in the database or on this machine's disk.
class PostgresLedger final : public LedgerStore {
 public:
  static Result<std::unique_ptr<PostgresLedger>> open(const std::string& url, const std::string& spool_folder,
                                                      std::uint64_t instance, const PostgresLimits& limits = {});

  Result<void> append(const LedgerBatch& batch) override;
  Result<void> upkeep(std::int64_t now_unix_ms) override;
  std::uint64_t calls_written() const override { return written_.load(std::memory_order_relaxed); }
  std::uint64_t calls_spooled() const override { return spooled_.load(std::memory_order_relaxed); }

  /// Set aside in ledger.rejected.
  std::uint64_t calls_rejected() const override { return rejected_.load(std::memory_order_relaxed); }
  /// Those in a spool of this machine count: they are as durable as rows. An error while the database is away.
  Result<std::optional<std::uint64_t>> calls_of(std::uint64_t instance) override;
  Result<void> note_lost(std::uint64_t instance, std::uint64_t calls) override;
  /// Ends of spools that a crash had torn, and documents that the disk did not give back as written.
  std::uint64_t torn() const { return torn_; }
  bool away() const { return away_; }

 private:
  enum class Sent : std::uint8_t { done, refused, away };

  PostgresLedger(const PostgresLibrary& library, std::string url, std::string place, std::string folder,
                 std::uint64_t instance, const PostgresLimits& limits)
      : library_(&library),
        url_(std::move(url)),
        place_(std::move(place)),
        folder_(std::move(folder)),
        instance_(instance),
        limits_(limits) {}

  /// True with a connection that may be used. A database that is away is tried only now and then, within `deadline`.
  bool reach(TimePoint deadline);
  PostgresResult<void> connect(TimePoint deadline);
  /// Says to the other weirs which names are new. What cannot be said now is said with a later batch.
  void note_names(TimePoint deadline);
  void went_away(const PostgresError& error);
  void came_back();

  /// The document into the database; calls that it refuses are found by halving and set aside.
  Sent deliver(std::string_view document, std::uint64_t instance, TimePoint deadline);
  Sent send(std::string_view document, std::uint64_t instance, TimePoint deadline);  // with a NUL behind it
  Sent send_halves(std::span<const std::string_view> calls, std::uint64_t instance);
  void set_aside(std::string_view call);
  /// One statement about the row of `instance`, with `number` as $2.
  PostgresResult<PostgresRows> ask_of(const char* sql, std::uint64_t instance, std::uint64_t number);
  std::string is_away() const;

  Result<void> spool(std::string_view document, std::uint64_t calls);
  void adopt_spools();
  void replay(TimePoint deadline);
  void count_spooled();
  std::uint64_t spool_bytes() const;

  const PostgresLibrary* library_;
  std::string url_;
  std::string place_;  ///< for messages
  std::string folder_;
  std::uint64_t instance_;
  PostgresLimits limits_;
  std::optional<PostgresConnection> connection_;
  PostgresNames names_;
  PostgresDocument document_{names_};
  std::unique_ptr<PostgresSpool> own_;                     ///< made when it is first needed
  std::vector<std::unique_ptr<PostgresSpool>> left_over_;  ///< of processes that are gone
  Random random_;
  bool away_ = false;
  TimePoint next_try_{};
  Duration wait_{};
  std::string refusal_;  ///< why the last rows were refused
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> spooled_ = 0;
  std::atomic<std::uint64_t> rejected_ = 0;
  std::uint64_t torn_ = 0;
};

}  // namespace weir::store
