#pragma once
#include <weir/exchange/service.hpp>
#include "pipeline/resolve/router.hpp"

namespace weir::pipeline {

/// Name to plan, and the task that the call is booked under (RULINGS 23). Calls nobody to decide it.
class ResolveStage final : public Service {
 public:
  ResolveStage(const Router& router, Service& next) : router_(router), next_(next) {}
  awaitable<Ending> call(Exchange& exchange, ReplySink& reply) override;

 private:
  const Router& router_;
  Service& next_;
};

}  // namespace weir::pipeline
