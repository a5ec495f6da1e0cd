#pragma once
#include <weir/exchange/service.hpp>
#include "net/event.hpp"
#include "net/worker.hpp"

namespace weir::pipeline {

/// Sends a comment on a call's stream each time that so long nothing came (RULINGS 13, SEMANTICS 14), until stop().
/// Thread: the worker's. Requires: stop() was awaited before it dies.
class KeepAlive final : public net::Deadline {
 public:
  KeepAlive(net::Worker& worker, ReplySink& reply, std::chrono::milliseconds every)
      : Deadline(worker.deadlines()), worker_(worker), reply_(reply), every_(every) {
    arm(Clock::now() + every_);
  }

  awaitable<void> stop() {
    disarm();
    stopped_ = true;
    while (writing_) co_await written_.wait();
  }

 private:
  void expired() override {
    if (!writing_) {
      writing_ = true;
      worker_.spawn("keep-alive", write(*this));
    }
    if (!stopped_) arm(Clock::now() + every_);
  }
  static awaitable<void> write(KeepAlive& self) {
    co_await self.reply_.keep_alive();
    self.writing_ = false;
    self.written_.notify();
  }

  net::Worker& worker_;
  ReplySink& reply_;
  std::chrono::milliseconds every_;
  net::Event written_;
  bool writing_ = false;
  bool stopped_ = false;
};

}  // namespace weir::pipeline
