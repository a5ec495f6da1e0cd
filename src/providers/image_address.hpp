#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::providers {

/// Where an image is that weir may fetch.
struct ImageAddress {
  std::string host;  ///< a name, or an address without brackets
  std::uint16_t port = 443;
  std::string authority;  ///< as the Host field wants it
  std::string target;     ///< path and query
  bool literal = false;   ///< an address, and the settings name that very one: it need not be public
};

/// Reads the URL that a caller named. Nothing, unless it is https without credentials and its host (with its port, if
/// it names one) is one of `hosts`.
std::optional<ImageAddress> read_image_url(std::string_view url, std::span<const std::string> hosts);

/// What an image is by its first bytes, since servers say anything; empty = none that models take.
std::string_view image_type(std::string_view bytes);

/// Appends bytes in base64.
void append_base64(std::string_view bytes, std::string& to);

}  // namespace weir::providers
