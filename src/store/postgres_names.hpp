#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <weir/exchange/limits.hpp>
#include "store/postgres_connection.hpp"

namespace weir::store {

/// The names that calls were booked under so far, so that clients who invent some cannot make sums without end: from
/// `names_max` on, further ones are booked as "other".
///
/// Several weirs share the table weir_names; each knows it from its last look, so that together they may be some names
/// past the limit. While the database is away the limit holds by what this process knows.
class PostgresNames {
 public:
  explicit PostgresNames(std::int64_t names_max = limits::ledger_names_max)
      : names_max_(static_cast<std::size_t>(names_max)) {}

  /// `name`, or "other". A view of the argument or of a constant.
  std::string_view booked(std::string_view name);

  /// Looks what the others have added.
  PostgresResult<void> load(PostgresConnection& connection, TimePoint deadline);
  /// Adds what is new here.
  PostgresResult<void> note(PostgresConnection& connection, TimePoint deadline);
  bool has_new() const { return !new_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::size_t names_max_;
  std::unordered_set<std::string, Hash, std::equal_to<>> known_;
  std::vector<std::string> new_;
};

}  // namespace weir::store
