#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/base/result.hpp>
#include "net/tls.hpp"

namespace weir::net {

struct ControlAnswer {
  unsigned status = 0;
  std::string body;         ///< at most ControlClient::answer_bytes_max; a longer one is left out
  std::string retry_after;  ///< the field as sent; empty = none
};

/// Posts to one address of the control plane (a collector of traces, a token endpoint), by Beast; never on the data
/// path. Each post has a connection of its own and blocks the calling thread for at most its timeout; only the look-up
/// of a name that the system does not answer can take longer.
///
/// Thread: any; posts know nothing of each other.
class ControlClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  static constexpr std::size_t answer_bytes_max = 64U << 10;

  /// `url`: http or https, host, perhaps a port, path. Verifies https against `ca_file`, or the system's authorities
  /// where it is empty. The error does not repeat the URL.
  static Result<ControlClient> make(std::string_view url, Headers headers, const std::string& ca_file = {});

  /// An answer of any status, or why there was none: a sentence that names host and port and holds no header.
  Result<ControlAnswer> post(std::string_view body, std::string_view content_type,
                             std::chrono::milliseconds timeout) const;

  const std::string& authority() const { return authority_; }  ///< host:port, for messages

 private:
  ControlClient() = default;

  std::string host_;  ///< without the brackets of an IPv6 address
  std::string port_;
  std::string authority_;
  std::string target_;
  Headers headers_;
  std::shared_ptr<TlsContext> tls_;  ///< null = plain
};

}  // namespace weir::net
