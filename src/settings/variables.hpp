#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>
#include "settings/environment.hpp"
#include "settings/problem.hpp"
#include "settings/tree.hpp"

namespace weir::settings {

struct Replaced {
  std::string text;
  std::string unset;  ///< the first variable without a value and without a default; empty = all are there
};

/// Replaces `${VAR}`, `${VAR:-default}` and `${file:/path}`; `$$` is a literal dollar. An empty variable counts as
/// unset, as container tools pass an empty text for a variable that the host does not have. A file's last line break
/// is taken off. An error names the variable or file and never its content.
Result<Replaced> replace_variables(std::string_view text, const Environment& environment);

/// Replaces in every scalar of the tree; a variable that is not set is noted in the node and not yet a problem.
void replace_variables(Node& node, const Environment& environment, const std::string& file,
                       std::vector<Problem>& problems);

}  // namespace weir::settings
