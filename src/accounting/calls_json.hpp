#pragma once
#include <string>

#include "store/ledger.hpp"

namespace weir::accounting {

/// `{"calls":[…]}` of RULINGS 20, in the batch's order (newest first, as readers give them). The same shape as
/// telemetry's recent calls print; never a text of a prompt or an answer.
std::string calls_json(const store::LedgerBatch& batch);

}  // namespace weir::accounting
