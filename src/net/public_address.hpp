#pragma once
#include <boost/asio/ip/address.hpp>

namespace weir::net {

/// Whether an address is of the public internet: not of this machine, a private or link-local network, no multicast and
/// none of the ranges that are set aside (IANA's special-purpose registries). Of IPv6 only global unicast counts,
/// without the ranges that carry an IPv4 address inside; a mapped IPv4 address counts as itself.
bool is_public(const boost::asio::ip::address& address);

}  // namespace weir::net
