#pragma once
#include <compare>

namespace weir {

/// A number or text of one kind that does not mix with another kind.
template <class T, class Tag>
struct Strong {
  T value{};
  auto operator<=>(const Strong&) const = default;
};

}  // namespace weir
