#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include <weir/exchange/savings.hpp>

namespace weir::store {

/// One INSERT of whole calls, $1 = a JSON array as PostgresDocument writes it. Calls that are there already are left
/// out of everything, the hourly sums included. Gives back how many were new.
const std::string& postgres_insert_sql();

/// FROM clauses of the rows to be summed, with the aliases that the parts use.
struct PostgresSources {
  std::string_view calls;     ///< `c` is a row of weir_calls: what a call adds where it ended
  std::string_view attempts;  ///< `a` of weir_attempts and `c` its call: what an attempt adds where it was
  std::string_view savings;   ///< `s` of weir_savings and `c` its call
};

/// A SELECT of started_ms, the names a call is summed by, user_name, tags and the sums' columns, as many rows as it
/// takes. The same text makes the hourly sums and reads what they do not have, so the two cannot drift.
/// `reask`: whether a call asked again, as SQL over `c`.
std::string postgres_parts(const PostgresSources& from, std::string_view reask = "c.reask");

inline constexpr std::size_t kPostgresSums = 15 + kSavingCauseNames.size();
/// Users and what providers name are longer than what an index takes; as SQL over calls or attempts.
inline constexpr std::string_view kPostgresUser = "left(user_name, 256)";
inline constexpr std::string_view kPostgresReplyModel = "left(reply_model, 256)";

/// ", calls, failed_calls, …" in the order of weir_hours, and the same added up.
std::string postgres_sum_columns();
std::string postgres_sums();

}  // namespace weir::store
