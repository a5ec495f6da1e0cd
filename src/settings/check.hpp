#pragma once
#include <string>
#include <vector>

#include "settings/problem.hpp"
#include "settings/tree.hpp"

namespace weir::settings {

/// Checks every key, type and bound of a tree against the registry. What refers to something else in the file (a
/// route's model, a model's provider) is checked afterwards, in build().
/// Values with a variable that is not set are left alone below `providers`, and are problems elsewhere.
void check(const Node& root, const std::string& file, std::vector<Problem>& problems);

}  // namespace weir::settings
