#include <weir/base/call_id.hpp>

namespace weir {

CallId CallId::make(std::int64_t unix_ms, Random& random) {
  const std::uint64_t a = random.next();
  const std::uint64_t b = random.next();
  const std::uint64_t high = (static_cast<std::uint64_t>(unix_ms) << 16) | 0x7000U | (a & 0x0fffU);
  const std::uint64_t low = (b & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  static constexpr char digits[] = "0123456789abcdef";
  CallId id;
  std::size_t out = 0;
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) id.text_[out++] = '-';
    const std::uint64_t word = nibble < 16 ? high : low;
    id.text_[out++] = digits[(word >> (60 - 4 * (nibble % 16))) & 0xfU];
  }
  return id;
}

}  // namespace weir
