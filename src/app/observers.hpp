#pragma once
#include <weir/exchange/observer.hpp>

namespace weir::app {

/// Tells both of what a worker's calls do: telemetry and the ledger. Thread: the worker's. Lifetime: both outlive it.
class Observers final : public Observer {
 public:
  Observers(Observer& first, Observer& second) : first_(first), second_(second) {}
  void call_started() override {
    first_.call_started();
    second_.call_started();
  }
  void call_ended(const Exchange& exchange) override {
    first_.call_ended(exchange);
    second_.call_ended(exchange);
  }
  void refused(Failure failure, std::uint16_t status) override {
    first_.refused(failure, status);
    second_.refused(failure, status);
  }

  TraceContext trace_of(const CallId& id, std::string_view traceparent) override {
    return first_.trace_of(id, traceparent);
  }

 private:
  Observer& first_;
  Observer& second_;
};

}  // namespace weir::app
