#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/ledger.hpp"
#include "store/postgres_connection.hpp"

namespace weir::store {

class PostgresReader final : public LedgerReader {
 public:
  static Result<std::unique_ptr<PostgresReader>> open(const std::string& url);

  Result<std::vector<SumRow>> sums(const SumQuery& query) override;
  Result<std::vector<ModelUse>> model_uses(std::int64_t since_unix_ms, std::int64_t until_unix_ms) override;
  Result<Period> period(std::int64_t since_unix_ms, std::int64_t until_unix_ms) override;
  Result<LedgerBatch> find_calls(std::string_view id, std::int64_t since_unix_ms, std::size_t calls_max) override;
  Result<LedgerBatch> recent_calls(std::size_t calls_max) override;

 private:
  PostgresReader(const PostgresLibrary& library, std::string url, std::string place)
      : library_(&library), url_(std::move(url)), place_(std::move(place)) {}
  PostgresResult<void> connect();
  /// Over a new connection when the old one is gone.
  Result<PostgresRows> ask(const std::string& sql, std::span<const char* const> parameters = {});
  std::unexpected<Error> says(const PostgresError& error) const;
  Result<LedgerBatch> calls_of(const std::string& sql, std::span<const char* const> parameters);
  /// Whether a call (alias `c`) asked again, as SQL: tables that no weir of this version has completed do not say.
  std::string_view reask() const { return version_ >= 3 ? "c.reask" : "false"; }
  std::string calls_sql() const;

  /// What of [since, until) is read from sums, [begin, end) in whole hours or days; none: both are `until`.
  struct Rolled {
    std::int64_t since, until, begin, end;
    std::string whole(std::string_view column) const;  ///< as SQL
    std::string ends(std::string_view column) const;   ///< what is left at both ends
  };
  /// `from`: since when there are such sums.
  Result<Rolled> rolled(std::int64_t since, std::int64_t until, std::int64_t unit_ms, std::int64_t from);

  const PostgresLibrary* library_;
  std::string url_;
  std::string place_;
  std::optional<PostgresConnection> connection_;
  std::int64_t version_ = 0;          ///< of the tables
  std::int64_t rolled_since_ms_ = 0;  ///< weir_user_days and weir_target_hours have all calls since then
};

}  // namespace weir::store
