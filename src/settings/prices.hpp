#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "catalogue/settings.hpp"
#include "settings/problem.hpp"

namespace weir::settings {

/// config/prices.yaml as it was when this binary was built.
std::string_view built_in_prices_text();

/// Reads a price file. Every model needs a price for input and output, a source and its date; a name may occur once.
Result<std::vector<catalogue::ModelFacts>, std::vector<Problem>> load_prices(std::string_view text,
                                                                             const std::string& name);

/// The built-in file; a test holds that it has no problem.
std::vector<catalogue::ModelFacts> built_in_prices();

}  // namespace weir::settings
