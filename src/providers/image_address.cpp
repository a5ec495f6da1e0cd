#include "providers/image_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/asio/ip/address.hpp>

namespace weir::providers {
namespace {

constexpr std::size_t kUrlBytesMax = 4096;  // signed URLs have some hundreds

bool is_authority(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
}

std::string lower(std::string_view text) {
  std::string folded{text};
  for (char& c : folded) c = static_cast<unsigned>(c - 'A') <= 25 ? static_cast<char>(c | 0x20) : c;
  return folded;
}

std::string without_default_port(std::string authority) {
  if (authority.ends_with(":443") && !authority.ends_with("::443")) authority.resize(authority.size() - 4);
  return authority;
}

}  // namespace

std::optional<ImageAddress> read_image_url(std::string_view url, std::span<const std::string> hosts) {
  constexpr std::string_view scheme = "https://";
  const bool printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  if (url.size() > kUrlBytesMax || !printable || !url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  url = url.substr(0, url.find('#'));
  ImageAddress image;
  const std::size_t end = std::min(url.find_first_of("/?\\"), url.size());
  image.authority = without_default_port(lower(url.substr(0, end)));
  if (!is_authority(image.authority)) return std::nullopt;  // credentials among others
  const auto named = [&](const std::string& host) { return without_default_port(lower(host)) == image.authority; };
  if (std::ranges::none_of(hosts, named)) return std::nullopt;
  image.target = url.substr(end);
  if (!image.target.starts_with('/')) image.target.insert(0, 1, '/');

  std::string_view host = image.authority;
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon != host.npos && (bracket == host.npos || colon > bracket)) {
    const char* const last = host.data() + host.size();
    const auto parsed = std::from_chars(host.data() + colon + 1, last, image.port);
    if (parsed.ec != std::errc{} || parsed.ptr != last || image.port == 0) return std::nullopt;
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return std::nullopt;
  image.host = host;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(image.host, no_address);
  image.literal = !no_address;
  return image;
}

std::string_view image_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return "image/gif";
  if (bytes.starts_with("RIFF") && bytes.size() > 12 && bytes.substr(8, 4) == "WEBP") return "image/webp";
  return {};
}

void append_base64(std::string_view bytes, std::string& to) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  to.reserve(to.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) : 0U;
    };
    const std::uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    const std::array<char, 4> four{kDigits[three >> 18], kDigits[three >> 12 & 63],
                                   i + 1 < bytes.size() ? kDigits[three >> 6 & 63] : '=',
                                   i + 2 < bytes.size() ? kDigits[three & 63] : '='};
    to.append(four.data(), four.size());
  }
}

}  // namespace weir::providers
