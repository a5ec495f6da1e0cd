#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "accounting/moment.hpp"
#include "store/ledger.hpp"

namespace weir::accounting {

/// By what spend can change. The words are the report's.
enum class DriftCause : std::uint8_t {
  users,           ///< different users
  calls_per_user,  ///< calls that are no retries, per user and day; of all users where users_compare() is false
  retries,         ///< attempts for each of them: clients' and weir's own retries
  history,         ///< prompt tokens per attempt
  answers,         ///< output tokens per attempt
  model_mix,       ///< which models the attempts went to
  price,           ///< what a token costs at the same model
  provider_cache,  ///< how much cheaper the provider's cache made prompts
  count_
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(DriftCause::count_)> kDriftCauseNames{
    "users",     "calls per user", "retries",       "length of history", "length of answers",
    "model mix", "prices",         "provider cache"};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(DriftCause::count_)> kDriftCauseKeys{
    "users", "calls_per_user", "retries", "history", "answers", "model_mix", "price", "provider_cache"};

struct DriftPart {
  NanoDollars change;  ///< per day
  std::string from;    ///< the figure behind it in either period, for people; empty = says nothing
  std::string to;
};

/// Why spend per day changed between two periods: parts that add up to the change exactly.
struct Drift {
  Days from_days, to_days;
  NanoDollars from_cost;                      ///< per day
  NanoDollars to_cost;                        ///< per day
  std::int64_t from_calls = 0, to_calls = 0;  ///< of the whole period
  std::int64_t price_unknown_attempts = 0;    ///< in both: their tokens count, at no price
  std::array<DriftPart, static_cast<std::size_t>(DriftCause::count_)> parts;

  /// Periods of different length see different shares of the users, so `users` stays zero.
  bool users_compare() const { return from_days.count() == to_days.count(); }
  NanoDollars change() const { return {to_cost.value - from_cost.value}; }
  /// The part that moved most dollars.
  DriftCause largest() const;
};

/// Logarithmic-mean Divisia index in two steps (Ang 2005, additive LMDI-I): users, calls per user and retries act on
/// all spend alike and are taken first; the cost of an attempt is then explained model by model. A model that is in one
/// period only goes to the mix, which is where the small-value rule for zeros leads. Nothing is left unexplained.
Drift explain_drift(const Days& from_days, const store::Period& from, const Days& to_days, const store::Period& to);

std::string drift_table(const Drift& drift);
std::string drift_json(const Drift& drift);  ///< one line without a line feed

}  // namespace weir::accounting
