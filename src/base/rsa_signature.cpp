#include "base/rsa_signature.hpp"

#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace weir {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

/// Without it OpenSSL would ask for the passphrase of an encrypted key on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<std::string> sign_rs256(std::string_view private_key_pem, std::string_view text) {
  const Bio bio{BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size()))};
  const Key key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr};
  // What OpenSSL notes on a failure must not surface in the next TLS call of this thread.
  ERR_clear_error();
  if (!key) return failure("is not a private key in PEM without a passphrase");
  if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return failure("is not an RSA key");
  const Context context{EVP_MD_CTX_new()};
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  const bool started = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                       EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1;
  std::string signature(started ? size : 0, '\0');
  const bool done = started && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                              bytes, text.size()) == 1;
  ERR_clear_error();
  if (!done) return failure("cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace weir
