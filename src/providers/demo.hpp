#pragma once
#include <chrono>

#include <weir/exchange/service.hpp>
#include "net/worker.hpp"
#include "providers/settings.hpp"

namespace weir::providers {

/// A provider without a network: a newcomer's first answer, and a load generator. The same request always gets the same
/// answer, which begins with "[demo]" and reports usage. Names that fail on demand (behind `demo/`): `fail-<status>`,
/// `fail-timeout`, `cut` (a stream that breaks in the middle), `slow` (first byte after two seconds).
///
/// Thread: one per worker.
class DemoProvider final : public Provider {
 public:
  DemoProvider(net::Worker& worker, const ProviderSettings& settings);
  awaitable<Ending> send(const Call& call, Attempt& attempt, ReplySink& reply) override;

 private:
  awaitable<Ending> answer(const Call& call, Attempt& attempt, ReplySink& reply);
  awaitable<bool> sleep(Interrupt& interrupt, Duration duration);

  net::Worker& worker_;
  Duration per_token_{};
};

}  // namespace weir::providers
