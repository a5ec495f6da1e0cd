#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "catalogue/settings.hpp"

namespace weir::catalogue {

/// What is publicly known of each model, found by name without allocation or lock.
///
/// Thread: immutable after construction, read from any thread.
/// Lifetime: pointers and views that it hands out live as long as it does; it does not move.
/// A name that is not here has no known price: that is visible (`weir_price_unknown_total`), never zero.
class Catalogue {
 public:
  /// Where two models share an id or alias, the earlier one keeps it (the settings loader refuses such a file).
  explicit Catalogue(std::vector<ModelFacts> models);
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  /// By id or alias, exactly as spelt.
  const ModelFacts* find(std::string_view name) const;

  /// By the name in a provider's reply (RULINGS 22): exact, else without a trailing -YYYY-MM-DD, -YYYYMMDD or -latest.
  const ModelFacts* find_reply_model(std::string_view name) const;

  std::span<const ModelFacts> models() const { return models_; }

  /// The model's id or alias that a mistyped name most likely meant; empty = none is near.
  std::string_view nearest(std::string_view name) const;

 private:
  struct Slot {
    std::string_view name;  ///< empty = free
    std::uint32_t model = 0;
  };
  void insert(std::string_view name, std::uint32_t model);

  std::vector<ModelFacts> models_;
  std::vector<Slot> slots_;  ///< open addressing, a power of two, at most half full
  std::size_t mask_ = 0;
};

}  // namespace weir::catalogue
