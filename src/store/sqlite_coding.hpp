#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/ledger.hpp"

/// How values are packed into the integers and short texts of a row. Pure.
namespace weir::store::sqlite {

inline constexpr std::int64_t kHourMs = 3'600'000;
inline constexpr int kKeyRandomBits = 22;
inline constexpr std::int64_t kKeyTimeMax = (std::int64_t{1} << 41) - 1;  // 2039: 41 + 22 bits leave the sign alone

/// The 16 bytes of a UUID's text; all zero where the text is not one.
using IdBytes = std::array<unsigned char, 16>;
bool parse_id(std::string_view text, IdBytes& bytes);
CallId id_from(std::string_view bytes);

/// Where the search for a call's row begins: milliseconds of its id, then the last bits of its id.
std::int64_t key_of(const IdBytes& id);
constexpr std::int64_t key_from_ms(std::int64_t unix_ms) {
  const std::int64_t ms = unix_ms < 0 ? 0 : unix_ms > kKeyTimeMax ? kKeyTimeMax : unix_ms;
  return ms << kKeyRandomBits;
}
constexpr std::int64_t ms_of_key(std::int64_t key) {
  return key >> kKeyRandomBits;
}

/// outcome: bits 0-2, failure: 3-8, phase: 9-11, stream: 12, raw: 13, status: 14-29, reask: 30.
std::int64_t pack_call_end(const CallRow& call);
void unpack_call_end(std::int64_t packed, CallRow& call);
/// failure: bits 0-5, phase: 6-8, status: 9-24, then price_known, wasted, may_have_been_billed, reused_connection,
/// tokens reported, tokens estimated.
std::int64_t pack_attempt_end(const AttemptRow& attempt);
void unpack_attempt_end(std::int64_t packed, AttemptRow& attempt);

/// Phases as LEB128 numbers of microseconds, in the enum's order, without the zeros at the end. A view into `memory`.
using PhasesMemory = std::array<char, 70>;
std::string_view pack_phases(const AttemptRow& attempt, PhasesMemory& memory);
void unpack_phases(std::string_view packed, AttemptRow& attempt);

/// {"provider_cache":1234}: nano-dollars of the causes that are not zero; empty if all are.
void pack_savings(const Savings& savings, std::string& out);
Savings unpack_savings(std::string_view packed);

/// What a price and a key make of a target, as bytes for a look-up.
struct TargetFacts {
  std::int64_t input, output, cache_read, cache_write, key_index, price_known;
};
TargetFacts facts_of(const AttemptRow& attempt);

/// Not seeded: for tables in memory whose size is bounded.
std::uint64_t text_hash(std::string_view text);
/// The same in every process and version: it names a user in the ledger. Never 0.
std::int64_t user_hash(std::string_view user);

}  // namespace weir::store::sqlite
