#include "admission/key_text.hpp"

#include <cstddef>
#include <cstdint>

#include "base/digest.hpp"

namespace weir::admission {
namespace {

constexpr std::string_view kPrefix = "wr_";
constexpr std::size_t kRandomSize = 36;
constexpr std::size_t kChecksumSize = 6;
constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// CRC-32 as in zlib and PNG (polynomial 0xEDB88320, reflected).
std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::string checksum_of(std::string_view random) {
  std::string text(kChecksumSize, '0');
  std::uint32_t crc = crc32(random);
  for (std::size_t i = kChecksumSize; i-- > 0; crc /= 62) text[i] = kDigits[crc % 62];
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string make_key_text() {
  std::string random;
  while (random.size() < kRandomSize) {
    std::array<unsigned char, 64> bytes;
    fill_with_secret_random(bytes);
    for (const unsigned char byte : bytes) {
      // 248 is the greatest multiple of 62 in a byte: what is above would make some characters likelier.
      if (byte < 248 && random.size() < kRandomSize) random.push_back(kDigits[byte % 62]);
    }
  }
  return std::string(kPrefix) + random + checksum_of(random);
}

bool is_key_text(std::string_view text) {
  if (text.size() != kPrefix.size() + kRandomSize + kChecksumSize || !text.starts_with(kPrefix)) return false;
  const std::string_view random = text.substr(kPrefix.size(), kRandomSize);
  for (const char c : random) {
    if (kDigits.find(c) == kDigits.npos) return false;
  }
  return text.substr(kPrefix.size() + kRandomSize) == checksum_of(random);
}

std::string hash_of_key(std::string_view key) {
  return hex(sha256(key));
}

bool parse_key_hash(std::string_view text, std::array<unsigned char, 32>& hash) {
  if (text.size() != hash.size() * 2) return false;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    hash[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

}  // namespace weir::admission
