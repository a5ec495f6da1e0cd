#pragma once
#include <weir/exchange/service.hpp>

namespace weir::pipeline {

/// Mends almost-JSON (`repair_json`) in whole replies to calls that asked for JSON: cheaper than a client that asks
/// again. Streams pass as they are: what has left cannot be mended.
class RepairStage final : public Service {
 public:
  explicit RepairStage(Service& next) : next_(next) {}
  awaitable<Ending> call(Exchange& exchange, ReplySink& reply) override;

 private:
  Service& next_;
};

}  // namespace weir::pipeline
