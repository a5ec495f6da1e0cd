#pragma once
#include <memory>

#include <weir/exchange/admission.hpp>
#include "admission/key_ring.hpp"

namespace weir::admission {

/// The door where there are keys. `Authorization: Bearer …` and `x-api-key` both work, also with spaces in the key
/// (SEMANTICS 34); where both are sent, the one that is weir's lets in and the other is the caller's own provider key.
class Keeper final : public Admission {
 public:
  explicit Keeper(std::shared_ptr<const KeyRing> ring) : ring_(std::move(ring)) {}

  std::optional<Ending> admit(Exchange& exchange) const override;
  std::optional<Ending> allow(const Exchange& exchange) const override;
  bool shows(const Caller* caller, std::string_view model) const override;

 private:
  std::shared_ptr<const KeyRing> ring_;
};

/// The door without keys: everybody comes in; what they send as a key can only be meant for a provider.
class OpenDoor final : public Admission {
 public:
  std::optional<Ending> admit(Exchange& exchange) const override;
  std::optional<Ending> allow(const Exchange&) const override { return std::nullopt; }
  bool shows(const Caller*, std::string_view) const override { return true; }
};

}  // namespace weir::admission
