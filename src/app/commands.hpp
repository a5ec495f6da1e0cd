#pragma once

namespace weir::app {

/// The command line: `weir serve | check | schema | health | report | explain | version`. Returns the process's exit
/// code.
int run_command(int argc, const char* const* argv);

}  // namespace weir::app
