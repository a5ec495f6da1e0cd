#include <weir/exchange/money.hpp>

namespace weir {

std::string dollars_text(NanoDollars amount) {
  const bool negative = amount.value < 0;
  const auto value = negative ? -static_cast<std::uint64_t>(amount.value) : static_cast<std::uint64_t>(amount.value);
  constexpr auto unit = static_cast<std::uint64_t>(nano_dollars_per_dollar);
  std::string text = (negative ? "-" : "") + std::to_string(value / unit) + ".";
  const std::string decimals = std::to_string(value % unit);
  return text.append(9 - decimals.size(), '0').append(decimals);
}

}  // namespace weir
