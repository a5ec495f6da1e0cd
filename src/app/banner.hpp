#pragma once
#include <cstddef>
#include <string>

#include "app/load.hpp"
#include "settings/settings.hpp"

namespace weir::app {

/// What `weir serve` says when it is ready: both addresses, each provider with its state, and the next step.
std::string banner(const settings::Settings& settings, const Source& source, std::size_t threads);

}  // namespace weir::app
