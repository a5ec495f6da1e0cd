#include "pipeline/retry/decision.hpp"

#include <algorithm>

namespace weir::pipeline {
namespace {

// A place that fails fast has lost nobody's time; one that took longer is likely to do so again.
constexpr Duration kFast = std::chrono::seconds(1);

Decision give_up(std::string_view why) {
  return {Verdict::give_up, {}, why};
}

}  // namespace

Duration backoff(const RetrySettings& settings, std::uint32_t waits, std::uint64_t dice) {
  const Duration ceiling =
      std::min<Duration>(settings.backoff_cap, Duration(settings.backoff_base) * (1LL << std::min(waits, 20U)));
  return ceiling.count() <= 0
             ? Duration{}
             : Duration(static_cast<Duration::rep>(dice % (static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

Decision decide(const Situation& now, const RetryLimits& limits, const RetrySettings& settings, std::uint64_t dice) {
  const FailureRow& row = row_of(now.failure);
  if (now.over) return give_up("nobody waits for it");
  if (now.content_sent) return give_up("content was sent");
  if (row.policy != Policy::retry_elsewhere && row.policy != Policy::bigger_context) return give_up("its class");
  if (now.attempts >= limits.attempts) return give_up("attempts are used up");
  if (now.left <= Duration::zero()) return give_up("the deadline");
  if (now.billed && now.resends > 0) return give_up("paid twice already");
  if (now.billed && !now.repeatable) return give_up("it may have been done");

  std::string_view why = "no other place";
  if (now.elsewhere) {
    if (now.billed && !now.elsewhere_affordable) {
      why = "max_resend_cost";
    } else if (!now.elsewhere_in_budget) {
      why = "the retry budget";
    } else {
      return {Verdict::elsewhere, {}, {}};
    }
  }
  // What was sent and not answered may still be worked on: the same place would do it twice.
  if (!row.same_place || now.permanent || now.took > kFast || (now.billed && !now.answered)) return give_up(why);
  if (now.billed && !now.here_affordable) return give_up("max_resend_cost");
  if (!now.here_in_budget) return give_up("the retry budget");
  const Duration wait = std::max(backoff(settings, now.waits, dice), now.back_in.value_or(Duration{}));
  if (wait > settings.backoff_cap) return give_up("the provider asks for a longer wait");
  if (wait >= now.left) return give_up("the deadline");
  return {Verdict::here, wait, {}};
}

}  // namespace weir::pipeline
