#pragma once
#include <cstdint>
#include <optional>

#include <weir/exchange/service.hpp>
#include "net/worker.hpp"
#include "pipeline/retry/call_deadline.hpp"
#include "pipeline/retry/candidates.hpp"
#include "pipeline/retry/decision.hpp"
#include "pipeline/retry/settings.hpp"
#include "targets/first_byte_times.hpp"

namespace weir::pipeline {

/// Sends one attempt after the other until one answers or decide() says that it is enough. Picks places, never models.
/// A stale pooled connection is renewed below, by the provider, and is no attempt.
/// Thread: one per worker.
class RetryStage final : public Service {
 public:
  RetryStage(net::Worker& worker, const RetrySettings& settings, targets::FirstByteTimes& times)
      : worker_(worker), settings_(settings), times_(times) {}
  awaitable<Ending> call(Exchange& exchange, ReplySink& reply) override;

 private:
  awaitable<Ending> attempts(Exchange& exchange, ReplySink& reply);
  awaitable<Ending> kept_alive(Exchange& exchange, ReplySink& reply);
  /// How long the first attempt may be silent before a second runs beside it; none = this call is not hedged.
  std::optional<Duration> patience_with(const Exchange& exchange, const Target& target) const;
  awaitable<Ending> hedged(Exchange& exchange, ReplySink& reply, const Candidates& candidates,
                           const CallDeadline& deadline, Candidates::Choice& choice, Duration patience);
  void learn(const Exchange& exchange);
  awaitable<bool> wait(Interrupt& interrupt, Duration time);
  bool spend(const Target& target) const;
  bool in_budget(const Target& target) const;

  net::Worker& worker_;
  RetrySettings settings_;
  targets::FirstByteTimes& times_;
};

}  // namespace weir::pipeline
