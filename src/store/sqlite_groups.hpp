#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/ledger.hpp"
#include "store/sqlite_sums.hpp"

namespace weir::store::sqlite {

/// Of the enum's number; "other" for one that a newer weir wrote.
std::string outcome_text(std::int64_t value);
std::string failure_text(std::int64_t value);
/// "2026-11-25T14:00Z" of hours since 1970, "2026-11-25" of the day, of its week's Monday.
std::string hour_text(std::int64_t hour);
std::string day_text(std::int64_t hour);
std::string week_text(std::int64_t hour);
/// The value of `name` in "k=v,k=v"; "none" if it is not there.
std::string_view tag_of(std::string_view tags, std::string_view name);

/// Sums by the values of a query's dimensions.
class Groups {
 public:
  explicit Groups(const SumQuery& query) : query_(query) {}

  Sums& at(std::vector<std::string> by) { return sums_[std::move(by)]; }
  /// A call and its attempts, each where it belongs.
  void add(const LedgerBatch& batch, const CallRow& call, std::int64_t hour);
  std::vector<SumRow> rows() const;  ///< dearest first

 private:
  std::vector<std::string> values(const CallRow& call, std::int64_t hour, std::string_view model,
                                  std::string_view provider, Failure failure) const;

  const SumQuery& query_;
  std::map<std::vector<std::string>, Sums> sums_;
};

}  // namespace weir::store::sqlite
