#include "store/ledger.hpp"
namespace weir::store {
Result<std::unique_ptr<LedgerStore>> open_postgres_ledger(const std::string&, const std::string&, std::uint64_t) {
  return failure("stores.ledger: PostgreSQL is not supported yet");
}
Result<std::unique_ptr<LedgerReader>> open_postgres_reader(const std::string&) {
  return failure("stores.ledger: PostgreSQL is not supported yet");
}
}  // namespace weir::store
