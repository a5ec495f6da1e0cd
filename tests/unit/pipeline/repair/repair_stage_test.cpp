#include "pipeline/repair/repair_stage.hpp"

#include "fakes/recording_sink.hpp"
#include "fakes/run_once.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace weir::pipeline {
namespace {

class Answers final : public Service {
 public:
  awaitable<Ending> call(Exchange&, ReplySink& reply) override {
    reply.head({});
    Buffer body;
    body.append(R"({"choices":[{"message":{"content":"Sure: {\"a\": 1,}"}}]})");
    reply.whole(std::move(body));
    co_return Ending{};
  }
};

struct RepairStageTest : testing::Test {
  std::string answer() {
    fakes::RecordingSink sink;
    RepairStage stage(answers);
    EXPECT_TRUE(fakes::run_once(stage.call(exchange, sink)).ok());
    return sink.body;
  }
  Answers answers;
  Exchange exchange;
};

TEST_F(RepairStageTest, MendsWhereTheRouteAndTheCallAskForIt) {
  exchange.plan.repair_json = true;
  exchange.request.body = R"({"response_format": {"type": "json_object"}})";
  EXPECT_EQ(answer(), R"({"choices":[{"message":{"content":"{\"a\": 1}"}}]})");
  EXPECT_TRUE(exchange.json_repaired);
}

TEST_F(RepairStageTest, ElseNothingIsTouched) {
  const std::string plain = R"({"choices":[{"message":{"content":"Sure: {\"a\": 1,}"}}]})";
  exchange.request.body = R"({"response_format": {"type": "json_object"}})";
  EXPECT_EQ(answer(), plain);
  exchange.plan.repair_json = true;
  exchange.raw = true;
  EXPECT_EQ(answer(), plain);
  exchange.raw = false;
  exchange.request.stream = true;
  EXPECT_EQ(answer(), plain);
  exchange.request.stream = false;
  exchange.request.body = "{}";
  EXPECT_EQ(answer(), plain);
  EXPECT_FALSE(exchange.json_repaired);
}

}  // namespace
}  // namespace weir::pipeline
