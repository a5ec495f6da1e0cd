#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/call_id.hpp>
#include <weir/base/result.hpp>
#include <weir/exchange/failure.hpp>
#include <weir/exchange/price.hpp>
#include <weir/exchange/savings.hpp>
#include <weir/exchange/usage.hpp>

namespace weir::store {

/// One try at one target as the books keep it. Texts are views into the LedgerBatch that holds the row.
struct AttemptRow {
  std::string_view provider;  ///< labels, as in the metrics
  std::string_view model;
  std::string_view reply_model;
  std::string_view provider_request_id;
  std::uint32_t key_index = 0;
  std::array<std::int64_t, static_cast<std::size_t>(Phase::count_)> phases_us{};  ///< 0 = not gone through
  Failure failure = Failure::none;
  Phase phase = Phase::none;
  std::uint16_t status = 0;  ///< the provider's; 0 = it said nothing
  Usage usage;
  NanoDollars cost;
  Price price;  ///< what it was booked at, so that dollars can be derived again
  bool price_known = false;
  bool wasted = false;
  bool may_have_been_billed = false;
  bool reused_connection = false;
};

/// One client call, once.
struct CallRow {
  CallId id;
  std::string_view request_id;  ///< the client's own; empty = it had none
  std::int64_t started_unix_ms = 0;
  std::int64_t took_us = 0;
  std::int64_t first_byte_us = -1;  ///< -1 = nothing was sent
  std::string_view route;           ///< labels: "none" where they do not apply
  std::string_view task;
  std::string_view model;     ///< the last attempt's, else the one planned
  std::string_view provider;  ///< likewise
  std::string_view key;
  std::string_view group;
  std::string_view user;  ///< empty = not said
  std::string_view tags;  ///< "k=v,k=v"
  Outcome outcome = Outcome::ok;
  Failure failure = Failure::none;
  Phase phase = Phase::none;
  std::uint16_t status = 0;  ///< what the client got
  bool stream = false;
  bool raw = false;
  std::uint32_t client_retry = 0;  ///< x-stainless-retry-count
  bool reask = false;              ///< asked again because of an answer's form
  std::uint32_t messages = 0;
  std::uint64_t prompt_bytes = 0;
  std::uint64_t system_hash = 0;
  std::uint64_t prompt_hash = 0;
  Savings saved;
  std::uint32_t first_attempt = 0;  ///< into LedgerBatch::attempts
  std::uint32_t attempts = 0;
  // Only where the route says keep_text.
  std::string_view request_text;
  std::string_view reply_text;
  std::int64_t text_until_unix_ms = 0;  ///< 0 = no text is kept
};

/// Rows on their way to the ledger or out of it, with the bytes of their texts. Filled by one thread, then given away.
class LedgerBatch {
 public:
  std::vector<CallRow> calls;
  std::vector<AttemptRow> attempts;

  LedgerBatch() = default;
  LedgerBatch(LedgerBatch&&) = default;
  LedgerBatch& operator=(LedgerBatch&&) = default;

  /// Copies `text`; the view stays good while the batch lives, also when the batch is moved.
  std::string_view keep(std::string_view text);
  std::size_t text_bytes() const { return text_bytes_; }
  std::span<const AttemptRow> attempts_of(const CallRow& call) const {
    return std::span(attempts).subspan(call.first_attempt, call.attempts);
  }
  /// Empties it and keeps its memory.
  void clear();

 private:
  static constexpr std::size_t kChunkBytes = 64U << 10;
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;  ///< the one that is being filled
  std::size_t used_ = 0;   ///< bytes of it
  std::size_t text_bytes_ = 0;
};

/// Where calls are written durably. Thread: one, the ledger's; every function may block.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;
  /// All of the batch in one transaction. An error (a sentence that names `stores.ledger`) means that nothing of it was
  /// written; the same batch may be given again, also when an earlier try did arrive after all: ids make it idempotent.
  virtual Result<void> append(const LedgerBatch& batch) = 0;
  /// What append() calls after each `kRowsPerPiece` calls of a batch, if it works through them one by one: a place to
  /// let others have the processor. The transaction stays open meanwhile.
  virtual void set_pause(std::function<void()> /*pause*/) {}
  static constexpr std::size_t kRowsPerPiece = 64;
  /// Deletes texts whose time is over, and whatever else wants doing now and then. About once a minute.
  virtual Result<void> upkeep(std::int64_t now_unix_ms) = 0;
  /// Rows of calls that this process has made durable so far (spooled ones included).
  virtual std::uint64_t calls_written() const = 0;
  /// Calls that wait in a spool for a database that is away; 0 where there is no spool.
  virtual std::uint64_t calls_spooled() const { return 0; }
  /// Calls that the database refused for what is in them, and that were set aside; 0 where there is no such thing.
  virtual std::uint64_t calls_rejected() const { return 0; }
  /// Calls that `instance` made durable, also one that ended long ago; nothing = this store does not know it.
  virtual Result<std::optional<std::uint64_t>> calls_of(std::uint64_t /*instance*/) { return std::nullopt; }
  /// Writes down how many calls of `instance`, which has ended or ends now, never became rows.
  virtual Result<void> note_lost(std::uint64_t /*instance*/, std::uint64_t /*calls*/) { return {}; }
};

/// `path`: the SQLite file, made with mode 0600 if it is not there.
/// `instance`: this process, unlike any other that writes to the same ledger.
Result<std::unique_ptr<LedgerStore>> open_sqlite_ledger(const std::string& path, std::uint64_t instance);
/// `url`: postgres://… ; `spool_folder`: where batches wait on disk while the database is away.
Result<std::unique_ptr<LedgerStore>> open_postgres_ledger(const std::string& url, const std::string& spool_folder,
                                                          std::uint64_t instance);

/// What calls can be summed by. `tag` needs a name: `tag:team`.
enum class Dimension : std::uint8_t {
  task,
  route,
  model,
  provider,
  key,
  group,
  outcome,
  failure,
  hour,  ///< start of the hour, day or week (Monday), UTC, as YYYY-MM-DDTHH:00Z or YYYY-MM-DD
  day,
  week,
  user,
  tag
};

/// Filters are exact; an empty one lets everything through. Times are UTC milliseconds, [since, until).
struct SumQuery {
  std::int64_t since_unix_ms = 0;
  std::int64_t until_unix_ms = 0;
  std::vector<Dimension> by;
  std::string tag;  ///< the name, where `by` has Dimension::tag
};

/// Tokens and dollars are counted where the attempt was, calls and outcomes where the call ended: a call that went from
/// one model to another has its attempts under both and counts as one call of the last. By outcome an attempt counts
/// under its call's; by failure under its own.
struct SumRow {
  std::vector<std::string> by;  ///< one value per dimension of the query
  std::int64_t calls = 0;
  std::int64_t failed_calls = 0;    ///< outcome other than ok
  std::int64_t client_retries = 0;  ///< calls that said they are a retry, or asked again because of an answer's form
  std::int64_t attempts = 0;
  std::int64_t failed_attempts = 0;
  std::int64_t uncached = 0, cache_read = 0, cache_write = 0, output = 0, reasoning = 0;  ///< output without reasoning
  std::int64_t messages = 0;  ///< sum of the histories' lengths, of calls that have one
  std::int64_t took_us = 0;
  NanoDollars cost;    ///< all of it
  NanoDollars wasted;  ///< the part that served nobody
  Savings saved;
  std::int64_t price_unknown_calls = 0;
};

/// Sums of attempts by model and provider at the prices they were booked at: what `--reprice` and `drift` start from.
struct ModelUse {
  std::string model;
  std::string provider;
  std::string reply_model;
  Price price;  ///< as booked
  bool price_known = false;
  std::int64_t calls = 0;  ///< that ended at this model
  std::int64_t attempts = 0;
  std::int64_t uncached = 0, cache_read = 0, cache_write = 0, output = 0, reasoning = 0;
  NanoDollars cost;
};

/// One stretch of time, for `weir report drift`.
struct Period {
  std::int64_t calls = 0;
  std::int64_t users = 0;  ///< different ones; calls without a user count as one user
  std::int64_t attempts = 0;
  std::int64_t client_retries = 0;
  std::int64_t messages = 0;
  std::vector<ModelUse> models;
};

/// Reads the ledger, also beside a process that writes it. Thread: any one at a time; every function may block.
class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  /// Sorted by cost, dearest first; without dimensions one row, also when there is nothing.
  virtual Result<std::vector<SumRow>> sums(const SumQuery& query) = 0;
  virtual Result<std::vector<ModelUse>> model_uses(std::int64_t since_unix_ms, std::int64_t until_unix_ms) = 0;
  virtual Result<Period> period(std::int64_t since_unix_ms, std::int64_t until_unix_ms) = 0;
  /// The calls whose own id or whose client's request id is `id`, newest first, at most `calls_max`. Own ids are found
  /// at once; request ids among the calls since `since_unix_ms`.
  virtual Result<LedgerBatch> find_calls(std::string_view id, std::int64_t since_unix_ms, std::size_t calls_max) = 0;
  /// The newest calls first.
  virtual Result<LedgerBatch> recent_calls(std::size_t calls_max) = 0;
};

/// Read-only; the error names the file and says how to make one (`weir serve`).
Result<std::unique_ptr<LedgerReader>> open_sqlite_reader(const std::string& path);
Result<std::unique_ptr<LedgerReader>> open_postgres_reader(const std::string& url);

}  // namespace weir::store
