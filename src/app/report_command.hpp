#pragma once
#include <string>

#include "accounting/report_options.hpp"
#include "app/load.hpp"

namespace CLI {
class App;
}

namespace weir::app {

/// `weir report …` and `weir explain …`: what the ledger says, read beside a process that writes it.
class ReportCommand {
 public:
  /// Adds both subcommands. Lifetime: outlives `cli`'s parse().
  explicit ReportCommand(CLI::App& cli);
  /// The exit code (docs/operations.md).
  int report() const;
  int explain() const;

 private:
  Source source_;
  accounting::ReportArguments arguments_;
  std::string call_id_;
};

}  // namespace weir::app
