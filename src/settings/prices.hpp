#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "catalogue/settings.hpp"
#include "settings/problem.hpp"

namespace weir::settings {

/// Reads a price file. Every model needs a price for input and output, a source and its date; a name may occur once.
Result<std::vector<catalogue::ModelFacts>, std::vector<Problem>> load_prices(std::string_view text,
                                                                             const std::string& name);

/// config/prices.yaml as it was when this binary was built: from a table made at that time, because reading a thousand
/// models as YAML would cost each start tens of milliseconds. In the library weir_settings_built_in.
std::vector<catalogue::ModelFacts> built_in_prices();

}  // namespace weir::settings
