#pragma once
#include <string_view>

#include "dialects/vocabulary/reply.hpp"

namespace weir::anthropic {

vocabulary::Finish finish_of(const vocabulary::Text& stop_reason);
/// Finish::unset is end_turn.
std::string_view stop_reason_of(vocabulary::Finish finish);

}  // namespace weir::anthropic
