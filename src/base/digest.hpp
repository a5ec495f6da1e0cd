#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace weir {

std::array<unsigned char, 32> sha256(std::string_view bytes);
std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view bytes);

/// Small letters, two per byte.
std::string hex(std::span<const unsigned char> bytes);

}  // namespace weir
