#pragma once
#include <string_view>

namespace weir::anthropic {

/// Whether a body is an error as Anthropic's clients read it: {"type":"error","error":{"type":…,"message":…}} with
/// strings. Such a body is passed on byte for byte.
bool is_well_formed_error(std::string_view body);

}  // namespace weir::anthropic
