#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace weir {

/// SHA-256 (FIPS 180-4). Thread: any; the hashing context is kept per thread.
std::array<unsigned char, 32> sha256(std::string_view bytes);

/// HMAC-SHA-256 (RFC 2104).
std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view bytes);

/// Lower-case hexadecimal digits.
std::string hex(std::span<const unsigned char> bytes);

/// Fills `bytes` from the kernel's generator: for keys and other secrets, unlike Random.
void fill_with_secret_random(std::span<unsigned char> bytes);

}  // namespace weir
