#include "api/recent_prompts.hpp"

#include <gtest/gtest.h>

namespace weir::api {
namespace {

using namespace std::chrono_literals;

class RecentPromptsTest : public ::testing::Test {
 protected:
  void set(Exchange& exchange, std::uint64_t prompt, std::uint64_t reask_of = 0) const {
    exchange.request.prompt_hash = prompt;
    exchange.request.reask_of = reask_of;
    exchange.user = "ann";
    exchange.caller = &web_;
  }
  void note(std::uint64_t prompt) {
    Exchange exchange;
    set(exchange, prompt);
    prompts_.note(exchange, now_);
  }
  bool asks_again(std::uint64_t reask_of, Duration later = {}) const {
    Exchange exchange;
    set(exchange, 8, reask_of);
    return prompts_.asks_again(exchange, now_ + later);
  }

  Caller web_{"web", "shop", {}};
  Caller batch_{"batch", "shop", {}};
  RecentPrompts prompts_;
  TimePoint now_ = TimePoint{} + 1'000h;
};

TEST_F(RecentPromptsTest, KnowsWhatWasAnsweredWithinAMinute) {
  EXPECT_FALSE(asks_again(7));
  note(7);
  EXPECT_TRUE(asks_again(7));
  EXPECT_TRUE(asks_again(7, RecentPrompts::kFor));
  EXPECT_FALSE(asks_again(7, RecentPrompts::kFor + 2s));
  EXPECT_FALSE(asks_again(6));
  EXPECT_FALSE(asks_again(0)) << "the same again, without the look of a re-ask";
}

TEST_F(RecentPromptsTest, OfTheSameCallerUserAndSystemPromptOnly) {
  note(7);
  Exchange other;
  set(other, 8, 7);
  EXPECT_TRUE(prompts_.asks_again(other, now_));
  other.caller = &batch_;
  EXPECT_FALSE(prompts_.asks_again(other, now_));
  set(other, 8, 7);
  other.user = "bob";
  EXPECT_FALSE(prompts_.asks_again(other, now_));
  set(other, 8, 7);
  other.request.system_hash = 1;
  EXPECT_FALSE(prompts_.asks_again(other, now_));
}

TEST_F(RecentPromptsTest, AnEmptyTableKnowsNothingAlsoRightAfterTheMachinesStart) {
  now_ = TimePoint{};
  for (std::uint64_t prompt = 1; prompt < 100'000; ++prompt) ASSERT_FALSE(asks_again(prompt));
}

}  // namespace
}  // namespace weir::api
