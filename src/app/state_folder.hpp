#pragma once
#include <filesystem>

#include "app/load.hpp"

namespace weir::app {

/// Where what outlives the process is kept (RULINGS 19): the settings file's folder; without a file $STATE_DIRECTORY,
/// else ~/.local/state/weir. Not made here.
std::filesystem::path state_folder(const Source& source);

}  // namespace weir::app
