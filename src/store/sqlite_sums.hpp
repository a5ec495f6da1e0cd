#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "store/ledger.hpp"
#include "store/sqlite_database.hpp"

namespace weir::store::sqlite {

/// What a row of `hours` adds up, in the order of its columns.
enum class Sum : std::uint8_t {
  calls,
  failed_calls,
  client_retries,
  attempts,
  failed_attempts,
  uncached,
  cache_read,
  cache_write,
  output,
  reasoning,
  messages,
  took_us,
  cost,
  wasted,
  price_unknown_calls,
  saved,  ///< the first of one per cause
  count_ = saved + static_cast<int>(SavingCause::count_)
};
inline constexpr std::size_t kSums = static_cast<std::size_t>(Sum::count_);
inline constexpr const char* kSumColumns =
    "calls,failed_calls,client_retries,attempts,failed_attempts,uncached,cache_read,cache_write,output,reasoning,"
    "messages,took_us,cost,wasted,price_unknown_calls,saved_exact_cache,saved_semantic_cache,saved_coalesced,"
    "saved_compression,saved_routing,saved_provider_cache,saved_batch";

struct Sums {
  std::array<std::int64_t, kSums> of{};

  std::int64_t& operator[](Sum sum) { return of[static_cast<std::size_t>(sum)]; }
  void add(const Sums& other) {
    for (std::size_t i = 0; i < kSums; ++i) of[i] += other.of[i];
  }
  void add_call(const CallRow& call, std::span<const AttemptRow> attempts);
  void add_attempt(const AttemptRow& attempt);
};

/// What a row of `target_hours` adds up, in the order of its columns.
struct TargetSums {
  std::int64_t calls = 0, attempts = 0, uncached = 0, cache_read = 0, cache_write = 0, output = 0, reasoning = 0,
               cost = 0;
  void add_attempt(const AttemptRow& attempt, bool ended_the_call);
};

/// The hourly sums of one transaction, gathered in memory and then added to the tables with one statement per row.
class HourSums {
 public:
  static Result<HourSums> prepare(Database& database);

  /// Of one call or attempt; good until clear().
  Sums& at(std::int64_t hour, std::int64_t who, Outcome outcome, Failure failure);
  TargetSums& at_target(std::int64_t hour, std::int64_t target);

  bool write();  ///< adds all to the tables; false = an error of the database
  void clear();

 private:
  struct Key {
    std::int64_t hour, who, ending;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      const auto mixed = static_cast<std::uint64_t>(key.hour * 31 + key.ending) ^
                         static_cast<std::uint64_t>(key.who) * 0x9e3779b97f4a7c15U;
      return mixed ^ mixed >> 32;
    }
  };
  Statement add_, add_target_;
  std::unordered_map<Key, Sums, Hash> sums_;
  std::unordered_map<Key, TargetSums, Hash> target_sums_;
};

}  // namespace weir::store::sqlite
