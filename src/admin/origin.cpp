#include "admin/origin.hpp"

#include <weir/base/ascii.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace weir::admin {
namespace {

/// `name` or `[v6]` of `name:port`; empty when the rest is not a port.
std::string_view name_of_host(std::string_view host) {
  std::size_t end = 0;
  if (host.starts_with('[')) {
    end = host.find(']');
    if (end == std::string_view::npos) return {};
    ++end;
  } else {
    end = std::min(host.find(':'), host.size());
  }
  const std::string_view port = host.substr(end);
  if (!port.empty() && (port[0] != ':' || port.size() < 2 || port.size() > 6)) return {};
  for (const char c : port.substr(port.empty() ? 0 : 1)) {
    if (c < '0' || c > '9') return {};
  }
  return host.substr(0, end);
}

std::string_view without_brackets(std::string_view name) {
  return name.starts_with('[') && name.ends_with(']') ? name.substr(1, name.size() - 2) : name;
}

bool is_address(std::string_view name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string{without_brackets(name)}, error);
  return !error;
}

}  // namespace

bool host_is_ours(std::string_view host, std::string_view listen_host) {
  const std::string_view name = name_of_host(host);
  if (name.empty()) return false;
  if (equals_ignoring_case(name, "localhost") || name == "127.0.0.1" || name == "[::1]") return true;
  if (without_brackets(name) == without_brackets(listen_host)) return true;
  return (listen_host == "0.0.0.0" || without_brackets(listen_host) == "::") && is_address(name);
}

bool origin_is_ours(std::string_view origin, std::string_view host) {
  if (origin.empty()) return true;
  constexpr std::string_view scheme = "http://";
  return origin.starts_with(scheme) && origin.substr(scheme.size()) == host;
}

bool same_secret(std::string_view given, std::string_view secret) {
  if (secret.empty()) return false;
  volatile unsigned char different = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto pair = static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(secret[i % secret.size()]);
    different = static_cast<unsigned char>(different | pair);
  }
  return different == 0;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string{without_brackets(host)}, error);
  return !error && address.is_loopback();
}

}  // namespace weir::admin
