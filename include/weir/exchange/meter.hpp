#pragma once
#include <weir/exchange/ending.hpp>
#include <weir/exchange/exchange.hpp>

namespace weir {

/// Sums the attempts of a call into its exchange: usage, cost, outcome. Called once per call, before its last bytes are
/// flushed. Pure: the time is given.
class Meter {
 public:
  virtual ~Meter() = default;
  virtual void book(Exchange& exchange, const Ending& ending, TimePoint now) const = 0;
};

}  // namespace weir
