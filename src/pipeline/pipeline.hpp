#pragma once
#include "pipeline/retry/retry_stage.hpp"
#include <weir/exchange/service.hpp>

namespace weir::pipeline {

/// The stages in their order, built from the provider backwards; a call enters at entry(). Thread: one per worker.
class Pipeline {
 public:
  Service& entry() { return retry_; }

 private:
  RetryStage retry_;  // innermost: whatever comes later must not see half answers
};

}  // namespace weir::pipeline
