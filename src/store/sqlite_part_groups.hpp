#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/sqlite_groups.hpp"
#include "store/sqlite_parts.hpp"

namespace weir::store::sqlite {

/// Sums of parts by the values of a query's dimensions, which stay numbers until all are added: for millions of parts.
class PartGroups {
 public:
  /// At most this many dimensions.
  static constexpr std::size_t kDimensionsMax = 4;

  PartGroups(const SumQuery& query, RowReader& rows) : query_(query), rows_(rows) {}

  void add(std::int64_t hour, const Part& part);
  /// All sums, under their values' texts.
  void into(Groups& groups);

 private:
  using Values = std::array<std::int64_t, kDimensionsMax>;
  struct Hash {
    std::size_t operator()(const Values& values) const {
      std::uint64_t sum = 0;
      for (const std::int64_t value : values) sum = (sum ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15U;
      return sum ^ sum >> 32;
    }
    std::size_t operator()(const std::pair<std::int64_t, std::int64_t>& both) const {
      return (*this)(Values{both.first, both.second});
    }
  };

  /// Those values that follow from who and target; the others are 0.
  const Values& of(std::int64_t who, std::int64_t target);
  std::int64_t number_of(std::string_view text);
  std::string text_of(Dimension dimension, std::int64_t value);

  const SumQuery& query_;
  RowReader& rows_;
  std::unordered_map<Values, Sums, Hash> sums_;
  std::unordered_map<std::pair<std::int64_t, std::int64_t>, Values, Hash> known_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::int64_t> numbers_;  ///< of texts
  std::string tag_;
};

}  // namespace weir::store::sqlite
