#pragma once
#include "pipeline/repair/repair_stage.hpp"
#include "pipeline/resolve/resolve_stage.hpp"
#include "pipeline/retry/retry_stage.hpp"

namespace weir::pipeline {

/// The stages in their order, built from the provider backwards; a call enters at entry() and walks up these lines.
/// Thread: one per worker. Lifetime: the router and the times outlive it.
class Pipeline {
 public:
  Pipeline(const Router& router, net::Worker& worker, const RetrySettings& retry, targets::FirstByteTimes& times)
      : retry_(worker, retry, times), repair_(retry_), resolve_(router, repair_) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  Service& entry() { return resolve_; }

 private:
  RetryStage retry_;      // innermost: what is above sees one answer, however many attempts it took
  RepairStage repair_;    // on the answer of the last attempt, before anybody else reads it
  ResolveStage resolve_;  // first: whatever stands between them may depend on the plan
};

}  // namespace weir::pipeline
