#pragma once
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir {

/// RS256 (RSASSA-PKCS1-v1_5 with SHA-256) of `text` with a private key in PEM, PKCS#8 or PKCS#1: the raw bytes of the
/// signature. The error never holds anything of the key.
Result<std::string> sign_rs256(std::string_view private_key_pem, std::string_view text);

}  // namespace weir
