#include "telemetry/trace_sampler.hpp"

#include <algorithm>

namespace weir::telemetry {
namespace {

// The low 56 bits of a trace id are random (W3C Trace Context, level 2); those of a UUIDv7 are, too.
constexpr std::uint64_t kRandomBits = (1ULL << 56) - 1;

struct Words {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

/// A UUID's text as the number that it is.
Words words_of(std::string_view uuid) {
  Words words;
  int digits = 0;
  for (const char c : uuid) {
    if (c == '-') continue;
    const auto digit = static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    std::uint64_t& word = digits++ < 16 ? words.high : words.low;
    word = word << 4 | digit;
  }
  return words;
}

}  // namespace

TraceSampler::TraceSampler(double share)
    : least_(static_cast<std::uint64_t>((1.0 - std::clamp(share, 0.0, 1.0)) * static_cast<double>(kRandomBits + 1))) {}

TraceContext TraceSampler::begin(const CallId& id, std::string_view traceparent) const {
  const auto continued = traceparent.empty() ? std::nullopt : parse_traceparent(traceparent);
  if (continued && !continued->sampled) return {};
  const Words own = words_of(id.text());
  TraceContext trace;
  if (continued) {
    trace = *continued;
  } else {
    trace.sampled = (own.low & kRandomBits) >= least_;
    if (!trace.sampled) return {};
    trace.trace_high = own.high;
    trace.trace_low = own.low;
  }
  trace.span = scattered(own.low ^ scattered(own.high));
  return trace;
}

}  // namespace weir::telemetry
