#include "store/sqlite_coding.hpp"

#include <bit>
#include <charconv>
#include <cstring>

namespace weir::store::sqlite {
namespace {

static_assert(static_cast<int>(Outcome::count_) <= 1 << 3, "three bits of an ending");
static_assert(static_cast<int>(Failure::count_) <= 1 << 6, "six bits of an ending");
static_assert(static_cast<int>(Phase::count_) <= 1 << 3, "three bits of an ending");

/// 0-15, or 255 for what is not a hexadecimal digit.
constexpr auto kDigits = [] {
  std::array<unsigned char, 256> digits{};
  digits.fill(255);
  for (unsigned i = 0; i < 10; ++i) digits['0' + i] = static_cast<unsigned char>(i);
  for (unsigned i = 0; i < 6; ++i) {
    digits['a' + i] = digits['A' + i] = static_cast<unsigned char>(10 + i);
  }
  return digits;
}();
/// Where in the text the digits of each byte are.
constexpr std::array<unsigned char, 16> kPlaces{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

constexpr std::int64_t bit(bool value, int at) {
  return static_cast<std::int64_t>(value) << at;
}
constexpr bool has(std::int64_t packed, int at) {
  return ((packed >> at) & 1) != 0;
}

/// A value of a later version that this one does not know is shown as `none`.
template <class Enum>
Enum bits(std::int64_t packed, int at, int mask) {
  const auto value = (packed >> at) & mask;
  return value < static_cast<std::int64_t>(Enum::count_) ? static_cast<Enum>(value) : Enum{};
}

}  // namespace

bool parse_id(std::string_view text, IdBytes& bytes) {
  bytes.fill(0);
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  unsigned wrong = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned high = kDigits[static_cast<unsigned char>(text[kPlaces[i]])];
    const unsigned low = kDigits[static_cast<unsigned char>(text[kPlaces[i] + 1U])];
    wrong |= high | low;
    bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  if (wrong > 15) bytes.fill(0);
  return wrong <= 15;
}

CallId id_from(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::array<char, 36> text{};
  std::size_t out = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[out++] = '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text[out++] = digits[byte >> 4];
    text[out++] = digits[byte & 15];
  }
  return std::bit_cast<CallId>(text);  // a CallId is its text
}

std::int64_t key_of(const IdBytes& id) {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id[i];
  const std::int64_t random = (id[13] << 16 | id[14] << 8 | id[15]) & ((1 << kKeyRandomBits) - 1);
  return key_from_ms(ms) | random;
}

std::int64_t pack_call_end(const CallRow& call) {
  return static_cast<std::int64_t>(call.outcome) | static_cast<std::int64_t>(call.failure) << 3 |
         static_cast<std::int64_t>(call.phase) << 9 | bit(call.stream, 12) | bit(call.raw, 13) |
         static_cast<std::int64_t>(call.status) << 14 | bit(call.reask, 30);
}

void unpack_call_end(std::int64_t packed, CallRow& call) {
  call.outcome = bits<Outcome>(packed, 0, 7);
  call.failure = bits<Failure>(packed, 3, 63);
  call.phase = bits<Phase>(packed, 9, 7);
  call.stream = has(packed, 12);
  call.raw = has(packed, 13);
  call.status = static_cast<std::uint16_t>(packed >> 14);
  call.reask = has(packed, 30);
}

std::int64_t pack_attempt_end(const AttemptRow& attempt) {
  return static_cast<std::int64_t>(attempt.failure) | static_cast<std::int64_t>(attempt.phase) << 6 |
         static_cast<std::int64_t>(attempt.status) << 9 | bit(attempt.price_known, 25) | bit(attempt.wasted, 26) |
         bit(attempt.may_have_been_billed, 27) | bit(attempt.reused_connection, 28) | bit(attempt.usage.reported, 29) |
         bit(attempt.usage.estimated, 30);
}

void unpack_attempt_end(std::int64_t packed, AttemptRow& attempt) {
  attempt.failure = bits<Failure>(packed, 0, 63);
  attempt.phase = bits<Phase>(packed, 6, 7);
  attempt.status = static_cast<std::uint16_t>(packed >> 9);
  attempt.price_known = has(packed, 25);
  attempt.wasted = has(packed, 26);
  attempt.may_have_been_billed = has(packed, 27);
  attempt.reused_connection = has(packed, 28);
  attempt.usage.reported = has(packed, 29);
  attempt.usage.estimated = has(packed, 30);
}

std::string_view pack_phases(const AttemptRow& attempt, PhasesMemory& memory) {
  std::size_t count = attempt.phases_us.size();
  while (count > 0 && attempt.phases_us[count - 1] == 0) --count;
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto value = static_cast<std::uint64_t>(attempt.phases_us[i]);
    for (; value >= 128; value >>= 7) memory[size++] = static_cast<char>((value & 127) | 128);
    memory[size++] = static_cast<char>(value);
  }
  return {memory.data(), size};
}

void unpack_phases(std::string_view packed, AttemptRow& attempt) {
  attempt.phases_us = {};
  std::size_t at = 0;
  for (std::int64_t& phase : attempt.phases_us) {
    std::uint64_t value = 0;
    for (int shift = 0; at < packed.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(packed[at++]);
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    phase = static_cast<std::int64_t>(value);
  }
}

void pack_savings(const Savings& savings, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < savings.by.size(); ++i) {
    if (savings.by[i].value == 0) continue;
    out += out.empty() ? "{\"" : ",\"";
    out += kSavingCauseNames[i];
    out += "\":";
    std::array<char, 24> number{};
    out.append(number.data(), std::to_chars(number.data(), number.data() + 24, savings.by[i].value).ptr);
  }
  if (!out.empty()) out += '}';
}

Savings unpack_savings(std::string_view packed) {
  Savings savings;
  for (std::size_t i = 0; !packed.empty() && i < savings.by.size(); ++i) {
    // Keys are ours and none is the end of another: the closing quote is part of what is looked for.
    const std::size_t found = packed.find(std::string("\"") + std::string(kSavingCauseNames[i]) + "\":");
    if (found == std::string_view::npos) continue;
    const char* const begin = packed.data() + found + kSavingCauseNames[i].size() + 3;
    std::from_chars(begin, packed.data() + packed.size(), savings.by[i].value);
  }
  return savings;
}

TargetFacts facts_of(const AttemptRow& attempt) {
  return {attempt.price.input.value,       attempt.price.output.value, attempt.price.cache_read.value,
          attempt.price.cache_write.value, attempt.key_index,          attempt.price_known ? 1 : 0};
}

std::uint64_t text_hash(std::string_view text) {
  // Words of eight bytes, and a multiplication's both halves: quick, and the same for ever.
  std::uint64_t state = 0xcbf29ce484222325U ^ text.size();
  const auto mix = [&state](std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(state ^ word) * 0x9e3779b97f4a7c15U;
    state = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ 0xd6e8feb86659fd93U;
  };
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    mix(word);
  }
  std::uint64_t word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  mix(word);
  return state;
}

std::int64_t user_hash(std::string_view user) {
  const std::uint64_t hash = text_hash(user);
  return hash == 0 ? 1 : static_cast<std::int64_t>(hash);
}

}  // namespace weir::store::sqlite
