#pragma once
#include <filesystem>

#include "accounting/settings.hpp"
#include "app/load.hpp"

namespace weir::app {

/// Where what outlives the process is kept (RULINGS 19): the settings file's folder; without a file $STATE_DIRECTORY,
/// else ~/.local/state/weir. Not made here.
std::filesystem::path state_folder(const Source& source);

/// Where the ledger is, with its folder; a state folder of our own choosing is made (0700) where it is not there.
accounting::LedgerSettings ledger_place(const Source& source, accounting::LedgerSettings ledger);

}  // namespace weir::app
