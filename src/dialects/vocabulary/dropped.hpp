#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/vocabulary/refusal.hpp"

namespace weir::vocabulary {

/// What a target cannot carry, by the client's own field names: for x-weir-dropped and weir_translation_dropped_total.
class Dropped {
 public:
  /// A field weir knows: fit for a metric's label.
  void add(std::string_view field) {
    if (std::find(known_.begin(), known_.end(), field) == known_.end()) known_.emplace_back(field);
  }
  /// A field only the caller knows: in the header by its name, in the metric as "other".
  void add_unknown(std::string_view field);

  bool empty() const { return known_.empty() && unknown_.empty(); }
  const std::vector<std::string>& known() const { return known_; }
  const std::vector<std::string>& unknown() const { return unknown_; }
  /// Comma-separated; printable ASCII, bounded.
  std::string header_value() const;
  /// For `strict: true`: names the fields.
  std::optional<Refusal> refusal(std::string_view target) const;

 private:
  std::vector<std::string> known_;
  std::vector<std::string> unknown_;
};

}  // namespace weir::vocabulary
