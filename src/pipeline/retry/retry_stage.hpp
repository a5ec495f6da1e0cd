#pragma once
#include <cstdint>
#include <optional>

#include <weir/exchange/service.hpp>
#include "net/worker.hpp"
#include "pipeline/retry/candidates.hpp"
#include "pipeline/retry/decision.hpp"
#include "pipeline/retry/settings.hpp"

namespace weir::pipeline {

/// Sends one attempt after the other until one answers or decide() says that it is enough. Picks places, never models.
/// A stale pooled connection is renewed below, by the provider, and is no attempt.
/// Thread: one per worker.
class RetryStage final : public Service {
 public:
  RetryStage(net::Worker& worker, const RetrySettings& settings) : worker_(worker), settings_(settings) {}
  awaitable<Ending> call(Exchange& exchange, ReplySink& reply) override;

 private:
  struct Clockwork;  // the deadlines of one call
  // Around one Provider::send(): plain functions, since a coroutine more would cost as much as all they do.
  static bool begin_attempt(Exchange& exchange, const Candidates::Choice& choice, const Clockwork& clockwork);
  static void end_attempt(Exchange& exchange, const Candidates::Choice& choice, const Ending& ending, bool trial);
  awaitable<Ending> attempts(Exchange& exchange, ReplySink& reply);
  awaitable<Ending> kept_alive(Exchange& exchange, ReplySink& reply);
  awaitable<bool> wait(Interrupt& interrupt, Duration time);
  bool spend(const Target& target) const;
  bool in_budget(const Target& target) const;

  net::Worker& worker_;
  RetrySettings settings_;
};

}  // namespace weir::pipeline
