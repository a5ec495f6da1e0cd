#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include "accounting/report.hpp"
#include "store/ledger.hpp"

namespace weir::accounting {

/// Any report, the overview and drift among them, as the text that its format is. The error says what is wrong with the
/// ledger.
Result<std::string> run_report(const ReportOptions& options, store::LedgerReader& ledger, const PriceOf& price_of);

/// An answer to GET /api/report.
struct ReportBody {
  unsigned status = 200;  ///< 400: the query is wrong; 500: the ledger cannot be read. The body says which and why.
  std::string body;
  std::string_view content_type = "application/json";
};

/// `query`: what stands behind the question mark, percent-encoded: kind since until by format from to reprice, as on
/// the command line; the format is json where it is not said. Thread: the caller's; it blocks as the reader does.
ReportBody report_body(std::string_view query, store::LedgerReader& ledger, std::int64_t now_unix_ms,
                       const PriceOf& price_of = {});

}  // namespace weir::accounting
