#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weir::net {

/// `listen:` one address, with TLS where both files are named.
struct ListenSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string certificate_file;  ///< PEM chain; empty = plain
  std::string key_file;          ///< PEM
  bool operator==(const ListenSettings&) const = default;
};

/// `limits:` what the front door takes.
struct LimitSettings {
  std::size_t body_bytes = 32U << 20;
  std::size_t head_bytes = 32U << 10;
  std::size_t connections = 20'000;
  std::size_t in_flight = 0;                    ///< 0 = auto
  std::size_t bodies_bytes = 0;                 ///< 0 = auto
  std::chrono::milliseconds head_time{10'000};  ///< from a request's first byte to the end of its head
  std::chrono::milliseconds body_time{60'000};  ///< from the head to the end of the body
  std::chrono::milliseconds idle{75'000};       ///< between requests
  std::chrono::milliseconds queue{0};           ///< `queue.max`: how long a call may wait for its place
  bool operator==(const LimitSettings&) const = default;
};

}  // namespace weir::net
