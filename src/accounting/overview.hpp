#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <weir/base/result.hpp>
#include "accounting/report_options.hpp"
#include "store/ledger.hpp"

namespace weir::accounting {

/// What `weir report` shows on one screen.
struct Overview {
  std::int64_t since_unix_ms = 0;
  std::int64_t until_unix_ms = 0;
  bool ledger_is_empty = false;  ///< not a call, at any time
  store::SumRow total;
  std::vector<store::SumRow> tasks, models, groups, outcomes;  ///< dearest first
  std::vector<store::SumRow> weeks;  ///< the last four that begin on a Monday, oldest first, without gaps
};

/// The weeks are those before `options.until`, whatever `since` says.
Result<Overview> read_overview(store::LedgerReader& ledger, const ReportOptions& options);

/// At most 24 lines of at most 80 characters.
std::string overview_text(const Overview& overview);

}  // namespace weir::accounting
