#pragma once
#include <weir/exchange/service.hpp>

namespace weir::pipeline {

/// One attempt per call so far: a healthy call that is slow is never paid twice. Retries, fallbacks and their budget
/// come here (docs/roadmap.md); a stale pooled connection is renewed below, by the provider, and is no attempt.
class RetryStage final : public Service {
 public:
  awaitable<Ending> call(Exchange& exchange, ReplySink& reply) override;
};

}  // namespace weir::pipeline
