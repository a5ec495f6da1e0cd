#pragma once
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <weir/base/result.hpp>

namespace weir::net {

using TlsContext = boost::asio::ssl::context;

/// TLS 1.2 and 1.3 for a listener; the error names the file and what is wrong with it (unreadable, not PEM, key and
/// certificate do not belong together).
Result<std::shared_ptr<TlsContext>> make_server_tls(const std::string& certificate_file, const std::string& key_file);

/// TLS towards a provider: verifies against `ca_file`, or the system's authorities where it is empty.
Result<std::shared_ptr<TlsContext>> make_client_tls(const std::string& ca_file, bool verify);

}  // namespace weir::net
