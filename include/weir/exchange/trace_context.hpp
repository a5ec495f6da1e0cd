#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

/// A call's place in a distributed trace (W3C Trace Context). Ids are numbers; their text is hex, high digits first.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t parent_span = 0;  ///< the client's own; 0 = the trace begins here
  std::uint64_t span = 0;         ///< the call's
  bool sampled = false;           ///< false = nothing is told of it, and the client's `traceparent` goes on as it is
  bool operator==(const TraceContext&) const = default;
};

/// Strict (W3C Trace Context, 3.2): anything that is not a valid header is nullopt and to be ignored. `span` stays 0.
std::optional<TraceContext> parse_traceparent(std::string_view header);

/// The header that continues `trace` below `span`: version 00, sampled.
std::array<char, 55> traceparent_of(const TraceContext& trace, std::uint64_t span);

/// Scatters the bits of an id, so that another can be made of it; never 0.
constexpr std::uint64_t scattered(std::uint64_t id) {
  // The finaliser of splitmix64 (Steele, Lea, Flood): a bijection, so different ids stay different.
  id += 0x9e3779b97f4a7c15ULL;
  id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9ULL;
  id = (id ^ (id >> 27)) * 0x94d049bb133111ebULL;
  id ^= id >> 31;
  return id == 0 ? 1 : id;
}

/// The span of a call's `number`-th attempt, counted from 1; 0 = the call is not traced.
constexpr std::uint64_t attempt_span(const TraceContext& trace, std::size_t number) {
  return trace.sampled ? scattered(trace.span + number) : 0;
}

/// 16 digits of lower-case hex.
void write_hex(std::uint64_t id, char* at);

}  // namespace weir
