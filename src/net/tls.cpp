#include "net/tls.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace weir::net {
namespace {

namespace ssl = boost::asio::ssl;

constexpr auto kOptions = ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                          ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression |
                          ssl::context::single_dh_use;

// Of TLS 1.2 only what has forward secrecy and authenticated encryption; 1.3 has nothing else.
constexpr const char* kCiphersOfTls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

// Only HTTP/1.1 is spoken here: a client that offers it hears it back, one that offers only others is left without.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> make_server_tls(const std::string& certificate_file, const std::string& key_file) {
  auto context = std::make_shared<TlsContext>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(kOptions, error);
  context->use_certificate_chain_file(certificate_file, error);
  if (error) {
    return failure(
        fmt::format("tls.cert: cannot use {} as a PEM certificate chain: {}", certificate_file, error.message()));
  }
  context->use_private_key_file(key_file, ssl::context::pem, error);
  if (error)
    return failure(
        fmt::format("tls.key: cannot use {} as the PEM key of {}: {}", key_file, certificate_file, error.message()));
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return failure(fmt::format("tls: {} is not the key of {}", key_file, certificate_file));
  }
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context->native_handle(), kCiphersOfTls12);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), &choose_protocol, nullptr);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no 16 kB buffers
  return context;
}

Result<std::shared_ptr<TlsContext>> make_client_tls(const std::string& ca_file, bool verify) {
  auto context = std::make_shared<TlsContext>(ssl::context::tls_client);
  boost::system::error_code error;
  context->set_options(kOptions, error);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context->native_handle(), kCiphersOfTls12);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  if (!verify) {
    context->set_verify_mode(ssl::verify_none);
    return context;
  }
  context->set_verify_mode(ssl::verify_peer);
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
    if (error) return failure(fmt::format("tls.ca: cannot read certificates from {}: {}", ca_file, error.message()));
  }
  return context;
}

}  // namespace weir::net
