#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include <weir/base/clock.hpp>
#include <weir/exchange/failure.hpp>
#include <weir/exchange/plan.hpp>
#include "pipeline/retry/settings.hpp"

namespace weir::pipeline {

/// All that a decision about a failed attempt rests on.
struct Situation {
  Failure failure = Failure::none;
  bool permanent = false;           ///< the same place will answer the same
  bool content_sent = false;        ///< the client has content: nothing may follow it
  bool over = false;                ///< the client left, or weir ends
  bool billed = false;              ///< it may have been billed
  bool answered = false;            ///< the provider answered, be it with an error
  bool repeatable = true;           ///< doing it twice does no harm of its own: false for a raw POST
  std::uint32_t attempts = 1;       ///< so far
  std::uint32_t resends = 0;        ///< of them, those that followed one that may have been billed
  std::uint32_t waits = 0;          ///< back-offs so far
  Duration took{};                  ///< the attempt
  Duration left{};                  ///< until the call's deadline
  std::optional<Duration> back_in;  ///< how long the provider asked to wait
  /// Of the next place (for context_length: the next with a larger window); false = there is none.
  bool elsewhere = false;
  bool elsewhere_in_budget = false;
  bool elsewhere_affordable = false;  ///< within max_resend_cost, or its price is not known
  bool here_in_budget = false;
  bool here_affordable = false;
};

enum class Verdict : std::uint8_t { give_up, here, elsewhere };

struct Decision {
  Verdict verdict = Verdict::give_up;
  Duration wait{};       ///< before it; only for `here`
  std::string_view why;  ///< of giving up, for tests and for the log
};

/// Full jitter: anywhere between at once and the ceiling, which doubles with each wait up to the cap.
Duration backoff(const RetrySettings& settings, std::uint32_t waits, std::uint64_t dice);

/// What comes after a failed attempt. Pure: the table (failure.hpp) says what may be done at all, this what may be done
/// now.
Decision decide(const Situation& now, const RetryLimits& limits, const RetrySettings& settings, std::uint64_t dice);

}  // namespace weir::pipeline
