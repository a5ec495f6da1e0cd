#include <weir/exchange/money.hpp>

#include <array>
#include <charconv>

namespace weir {

std::string dollars_text(NanoDollars amount) {
  constexpr std::size_t decimals = 9;
  constexpr auto unit = static_cast<std::uint64_t>(nano_dollars_per_dollar);
  const bool negative = amount.value < 0;
  const auto value = negative ? -static_cast<std::uint64_t>(amount.value) : static_cast<std::uint64_t>(amount.value);
  std::array<char, 32> text;
  char* at = text.data();
  if (negative) *at++ = '-';
  at = std::to_chars(at, text.data() + text.size(), value / unit).ptr;
  *at = '.';
  std::uint64_t rest = value % unit;
  for (std::size_t i = decimals; i > 0; --i, rest /= 10) at[i] = static_cast<char>('0' + rest % 10);
  return {text.data(), at + decimals + 1};
}

}  // namespace weir
