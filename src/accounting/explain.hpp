#pragma once
#include <span>
#include <string>

#include "store/ledger.hpp"

namespace weir::accounting {

/// One call's story for a person: what was asked, each attempt with its phases drawn to scale, what arrived, who was
/// slow, why it ended, why it was or was not tried again, and what it cost. Pure; holds no text of prompt or answer.
///
/// Attempts are drawn one after the other: the books keep how long each phase took, not when it began.
std::string explain_call(const store::CallRow& call, std::span<const store::AttemptRow> attempts);

/// All calls of a batch, an empty line between them.
std::string explain_calls(const store::LedgerBatch& batch);

}  // namespace weir::accounting
