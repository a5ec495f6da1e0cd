#include "net/public_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir::net {
namespace {

namespace ip = boost::asio::ip;

struct Range4 {
  std::uint32_t first;
  unsigned bits;
};
constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
  return a << 24 | b << 16 | c << 8;
}
constexpr auto kSetAside4 = std::to_array<Range4>({{v4(0), 8},
                                                   {v4(10), 8},
                                                   {v4(100, 64), 10},
                                                   {v4(127), 8},
                                                   {v4(169, 254), 16},
                                                   {v4(172, 16), 12},
                                                   {v4(192, 0, 0), 24},
                                                   {v4(192, 0, 2), 24},
                                                   {v4(192, 88, 99), 24},
                                                   {v4(192, 168), 16},
                                                   {v4(198, 18), 15},
                                                   {v4(198, 51, 100), 24},
                                                   {v4(203, 0, 113), 24},
                                                   {v4(224), 3}});  // multicast, and all above it

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(
      kSetAside4, [address](const Range4& range) { return (address ^ range.first) >> (32 - range.bits) == 0; });
}

bool is_public6(const ip::address_v6::bytes_type& bytes) {
  if (bytes[0] >> 5 != 1) return false;  // 2000::/3, global unicast
  const unsigned high = static_cast<unsigned>(bytes[0]) << 8 | bytes[1];
  const unsigned next = static_cast<unsigned>(bytes[2]) << 8 | bytes[3];
  if (high == 0x2001 && next < 0x0200) return false;   // 2001::/23: Teredo, benchmarks, ORCHID
  if (high == 0x2001 && next == 0x0db8) return false;  // documentation
  if (high == 0x2002) return false;                    // 6to4
  return !(high == 0x3fff && next < 0x1000);           // documentation
}

}  // namespace

bool is_public(const ip::address& address) {
  if (address.is_v4()) return is_public4(address.to_v4().to_uint());
  const ip::address_v6 six = address.to_v6();
  if (six.is_v4_mapped()) return is_public4(ip::make_address_v4(ip::v4_mapped, six).to_uint());
  return is_public6(six.to_bytes());
}

}  // namespace weir::net
