#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <weir/exchange/price.hpp>
#include "settings/tree.hpp"

namespace weir::settings {

/// `price:` of a model or of one of its places, called `of` in messages; nothing = it has none. What cannot be read
/// check() has reported: it is left out.
std::optional<Price> read_price(const Node& node, std::string_view of,
                                const std::function<void(Place, std::string)>& report);

}  // namespace weir::settings
