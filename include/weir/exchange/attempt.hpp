#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/base/clock.hpp>
#include <weir/exchange/failure.hpp>
#include <weir/exchange/price.hpp>
#include <weir/exchange/usage.hpp>

namespace weir {

struct Target;

/// One try at one target. Written by the provider that made it (cost: by the meter), owned by retry's vector, so that
/// two attempts at once cannot tread on each other.
struct Attempt {
  std::string_view provider;
  std::string_view model;
  std::uint32_t key_index = 0;     ///< which of the provider entry's keys it goes out with: written by retry
  const Target* target = nullptr;  ///< in the settings snapshot: its prices; null = the plan's target
  std::uint64_t span = 0;          ///< retry: its own in the call's trace; 0 = the call is not traced
  TimePoint started{};
  TimePoint ended{};  ///< its answer was here; zero where it ended otherwise
  /// How long each phase took; zero = it was not gone through (a pooled connection has no connect).
  std::array<Duration, static_cast<std::size_t>(Phase::count_)> phases{};
  Failure failure = Failure::none;
  Phase phase = Phase::none;          ///< reached when it failed; none on success
  std::uint16_t provider_status = 0;  ///< what the provider answered; 0 = nothing
  std::string provider_request_id;    ///< SEMANTICS 18
  std::string reply_model;            ///< the model the reply named; the price goes by it
  Usage usage;
  std::uint64_t relayed_text_bytes = 0;  ///< generated text seen, for an estimate when usage never came
  std::uint64_t unknown_events = 0;      ///< of its stream, of types that weir does not know: left out, not an error
  bool may_have_been_billed = false;
  bool reused_connection = false;
  NanoDollars cost;
  bool price_known = true;
  const Price* price = nullptr;  ///< what it was booked at; null = nothing was billed, or the price is not known
  bool wasted = false;           ///< booked as wasted: nobody got this answer

  Duration& duration_of(Phase of) { return phases[static_cast<std::size_t>(of)]; }
  Duration duration_of(Phase of) const { return phases[static_cast<std::size_t>(of)]; }
};

}  // namespace weir
