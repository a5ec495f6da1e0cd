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
  /// True when there are calls in [since, until).
  Result<bool> any_call(std::int64_t since_unix_ms, std::int64_t until_unix_ms);

  const PostgresLibrary* library_;
  std::string url_;
  std::string place_;
  std::optional<PostgresConnection> connection_;
};

}  // namespace weir::store
