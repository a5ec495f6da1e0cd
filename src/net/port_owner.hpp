#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace weir::net {

/// Who listens on a TCP port of this machine, for the message that says it is in use: "nginx (pid 123)", or empty when
/// /proc does not tell (another user's process, another namespace). Reads much of /proc: for errors only.
std::string describe_port_owner(std::uint16_t port);
std::optional<int> find_port_owner(std::uint16_t port);  ///< its pid

}  // namespace weir::net
