#pragma once
#include <string>

namespace weir::settings {

/// docs/settings.md, as `weir schema --markdown` prints it; a test compares both.
std::string print_markdown();

/// A JSON Schema (2020-12) of the settings file for editors, as `weir schema` prints it.
std::string print_json_schema();

}  // namespace weir::settings
