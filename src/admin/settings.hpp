#pragma once
#include <cstdint>
#include <string>

namespace weir::admin {

/// `admin:` the operators' port.
struct AdminSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9090;
  std::string token;  ///< secret: for /api/*; empty = /api/* is open on loopback and refused elsewhere
  bool operator==(const AdminSettings&) const = default;
};

}  // namespace weir::admin
