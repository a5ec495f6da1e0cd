#include <weir/base/call_id.hpp>

namespace weir {

CallId CallId::make(std::int64_t unix_ms, Random& random) {
  const std::uint64_t a = random.next();
  const std::uint64_t b = random.next();
  const std::uint64_t high = (static_cast<std::uint64_t>(unix_ms) << 16) | 0x7000U | (a & 0x0fffU);
  const std::uint64_t low = (b & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  static constexpr char digits[] = "0123456789abcdef";
  CallId id;
  char* out = id.text_.data();
  const auto write = [&out](std::uint64_t word, int bits_left, int bytes) {
    for (; bytes > 0; --bytes) {
      bits_left -= 8;
      *out++ = digits[(word >> (bits_left + 4)) & 0xfU];
      *out++ = digits[(word >> bits_left) & 0xfU];
    }
  };
  write(high, 64, 4);
  *out++ = '-';
  write(high, 32, 2);
  *out++ = '-';
  write(high, 16, 2);
  *out++ = '-';
  write(low, 64, 2);
  *out++ = '-';
  write(low, 48, 6);
  return id;
}

}  // namespace weir
