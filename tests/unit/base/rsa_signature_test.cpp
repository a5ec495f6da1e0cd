#include "base/rsa_signature.hpp"

#include <gtest/gtest.h>

#include "fakes/rsa_key.hpp"

namespace weir {
namespace {

TEST(RsaSignature, IsOneThatThePublicKeyVerifies) {
  const fakes::RsaKey key;
  const auto signature = sign_rs256(key.pem(), "header.claims");
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->size(), 256U);
  EXPECT_TRUE(key.verifies("header.claims", *signature));
  EXPECT_FALSE(key.verifies("header.claimz", *signature));
}

TEST(RsaSignature, WhatIsNoRsaKeyIsRefusedWithoutShowingIt) {
  for (const std::string_view wrong :
       {"", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"}) {
    const auto signature = sign_rs256(wrong, "text");
    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().message, "is not a private key in PEM without a passphrase");
  }
}

TEST(RsaSignature, AKeyOfAnotherKindIsRefused) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> curve{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new(BIO_s_mem()), BIO_free};
  PEM_write_bio_PrivateKey(bio.get(), curve.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  const auto signature = sign_rs256({text, static_cast<std::size_t>(size)}, "text");
  ASSERT_FALSE(signature);
  EXPECT_EQ(signature.error().message, "is not an RSA key");
}

}  // namespace
}  // namespace weir
