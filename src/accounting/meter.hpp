#pragma once
#include <weir/exchange/ending.hpp>
#include <weir/exchange/exchange.hpp>
#include <weir/exchange/meter.hpp>
#include "catalogue/catalogue.hpp"

namespace weir::accounting {

/// Books a call: what each of its attempts used and cost, and how the whole ended. Pure: no clock, no state.
///
/// Thread: any; the catalogue is immutable. Lifetime: the catalogue outlives the meter (both belong to one snapshot).
class Meter final : public weir::Meter {
 public:
  explicit Meter(const catalogue::Catalogue* catalogue) : catalogue_(catalogue) {}  ///< null: only targets' prices

  /// Fills each attempt's usage (estimated where the provider told none), cost, price_known and wasted, and the
  /// exchange's meter fields. Called once per call, before its last bytes are flushed (RULINGS 5).
  void book(Exchange& exchange, const Ending& ending, TimePoint now) const override;

  /// The price that an attempt is booked at (RULINGS 22); null = unknown.
  const Price* price_of(const Target& target, std::string_view reply_model) const;

 private:
  void book_attempt(const Exchange& exchange, Attempt& attempt) const;

  const catalogue::Catalogue* catalogue_;
};

}  // namespace weir::accounting
