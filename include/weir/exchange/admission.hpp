#pragma once
#include <optional>
#include <string_view>

#include <weir/exchange/ending.hpp>
#include <weir/exchange/exchange.hpp>

namespace weir {

/// Who may come in, and what they may ask. Pure: no clock but the exchange's own start. Thread: any worker; immutable.
/// Lifetime: the snapshot's that the exchange holds.
class Admission {
 public:
  virtual ~Admission() = default;
  /// Before anything of the body is read: finds the caller by the key in the head (`request.headers` must be there) and
  /// writes `caller` and `own_key`. A refusal is for the client.
  virtual std::optional<Ending> admit(Exchange& exchange) const = 0;
  /// With model, route and task known: whether this caller may ask for it.
  virtual std::optional<Ending> allow(const Exchange& exchange) const = 0;
  /// Whether the list of models may show this name to the caller.
  virtual bool shows(const Caller* caller, std::string_view model) const = 0;
};

}  // namespace weir
