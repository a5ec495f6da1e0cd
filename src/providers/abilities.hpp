#pragma once
#include <optional>

#include <weir/exchange/ending.hpp>
#include <weir/exchange/plan.hpp>
#include <weir/exchange/request.hpp>
#include "dialects/vocabulary/codec.hpp"

namespace weir::providers {

/// What a call needs and its model is stated to lack: of one whose bytes go up as they are. By what was read of the
/// body anyway, so images, documents and the window are left to the provider.
std::optional<Ending> lacking(const Request& request, const Target& target);

/// Of one that is translated: what no encoder can know, because its protocol has the field.
std::optional<vocabulary::Refusal> lacking(const vocabulary::ChatRequest& request, const Target& target,
                                           const vocabulary::TargetTraits& traits);

/// The refusal, as the call's ending.
Ending ending_of(const vocabulary::Refusal& refusal);

}  // namespace weir::providers
