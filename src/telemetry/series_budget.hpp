#pragma once
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <weir/base/guarded.hpp>
#include <weir/exchange/limits.hpp>

namespace weir::telemetry {

/// How many time series the page may show, over all workers: labels come from clients, and a flood of them must end in
/// `other`. Asked once per new slot, so its lock is not on the way of a call.
class SeriesBudget {
 public:
  explicit SeriesBudget(std::size_t series_max = limits::series_max) : series_max_(series_max) {}

  /// Whether a slot of `table` with these labels may exist; it then counts `series`, once for all workers.
  bool admits(char table, std::span<const std::string_view> labels, std::size_t series) {
    std::string key(1, table);
    for (const std::string_view label : labels) key.append(label).push_back('\0');
    return admitted_.with([&](Admitted& admitted) {
      if (admitted.keys.contains(key)) return true;
      if (admitted.series + series > series_max_) return false;
      admitted.series += series;
      admitted.keys.insert(std::move(key));
      return true;
    });
  }
  std::size_t series() {
    return admitted_.with([](const Admitted& admitted) { return admitted.series; });
  }

 private:
  struct Admitted {
    std::set<std::string> keys;
    std::size_t series = 0;
  };
  std::size_t series_max_;
  Guarded<Admitted> admitted_;
};

}  // namespace weir::telemetry
