#include "pipeline/repair/repair_stage.hpp"

#include <utility>

#include "dialects/openai_chat/repair_json.hpp"

namespace weir::pipeline {
namespace {

class RepairSink final : public ReplySink {
 public:
  RepairSink(Exchange& exchange, ReplySink& reply) : exchange_(exchange), reply_(reply) {}

  Flow head(const ReplyHead& head) override { return reply_.head(head); }
  Flow event(std::string_view bytes) override { return reply_.event(bytes); }
  Flow usage_event(std::string_view bytes, std::size_t usage_end) override {
    return reply_.usage_event(bytes, usage_end);
  }
  Flow whole(Buffer&& body) override {
    if (const auto mended = openai_chat::repair_reply(body.view())) {
      exchange_.json_repaired = true;
      body.clear();
      body.append(*mended);
    }
    return reply_.whole(std::move(body));
  }
  awaitable<Flow> flush() override { return reply_.flush(); }
  awaitable<void> keep_alive() override { return reply_.keep_alive(); }

 private:
  Exchange& exchange_;
  ReplySink& reply_;
};

awaitable<Ending> repaired(Exchange& exchange, ReplySink& reply, Service& next) {
  RepairSink sink(exchange, reply);
  co_return co_await next.call(exchange, sink);
}

}  // namespace

awaitable<Ending> RepairStage::call(Exchange& exchange, ReplySink& reply) {
  const bool mends = exchange.plan.repair_json && !exchange.request.stream && !exchange.raw &&
                     openai_chat::asks_for_json(exchange.request.body);
  return mends ? repaired(exchange, reply, next_) : next_.call(exchange, reply);
}

}  // namespace weir::pipeline
