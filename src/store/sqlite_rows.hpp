#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/ledger.hpp"
#include "store/sqlite_database.hpp"

namespace weir::store::sqlite {

/// The columns that RowReader::add() wants, of `call_rows c`; what follows FROM is the caller's.
inline constexpr const char* kRowColumns =
    "c.call,c.id,c.who,c.ended,c.started_after_id,c.took_us,c.first_byte_us,c.user,c.messages,c.client_retry,"
    "c.prompt_bytes,c.system_hash,c.prompt_hash,c.tags,c.request_id,c.saved,c.attempts,c.target,c.attempt_ended,"
    "c.uncached,c.cache_read,c.cache_write,c.output,c.reasoning,c.cost,c.provider_request_id,c.phases";

/// Makes rows of the ledger into structs again; remembers what the recurring numbers stand for.
class RowReader {
 public:
  struct Target {
    std::string provider, model, reply_model;
    std::uint32_t key_index = 0;
    Price price;
    bool price_known = false;
  };
  /// route, task, model, provider, key, group
  using Who = std::array<std::string, 6>;

  static Result<RowReader> prepare(Database& database);

  /// Appends the row that `row` stands at, with its attempts. `texts`: also the kept text, if there is some.
  /// False = an error of the database.
  bool add(const Statement& row, LedgerBatch& batch, bool texts);

  const std::string& name(std::int64_t id);
  const Who& who(std::int64_t id);
  const Target& target(std::int64_t id);
  std::string user(std::int64_t hash);

 private:
  void add_attempt(const Statement& row, int at, LedgerBatch& batch);

  Statement find_name_, find_who_, find_target_, find_user_, attempts_, texts_;
  std::unordered_map<std::int64_t, std::string> names_;
  std::unordered_map<std::int64_t, Who> who_;
  std::unordered_map<std::int64_t, Target> targets_;
};

}  // namespace weir::store::sqlite
