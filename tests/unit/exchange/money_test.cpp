#include <weir/exchange/money.hpp>
#include <weir/exchange/price.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace weir {
namespace {

Usage tokens(std::int64_t uncached, std::int64_t cache_read, std::int64_t cache_write, std::int64_t output) {
  Usage usage;
  usage.uncached = uncached;
  usage.cache_read = cache_read;
  usage.cache_write = cache_write;
  usage.output = output;
  return usage;
}

TEST(CostOf, EachKindHasItsPrice) {
  const Price price{{1'000'000}, {10'000'000}, {100'000'000}, {1'000'000'000}};  // input output read write
  EXPECT_EQ(cost_of(price, tokens(1, 0, 0, 0)).value, 1);
  EXPECT_EQ(cost_of(price, tokens(0, 0, 0, 1)).value, 10);
  EXPECT_EQ(cost_of(price, tokens(0, 1, 0, 0)).value, 100);
  EXPECT_EQ(cost_of(price, tokens(0, 0, 1, 0)).value, 1000);
  EXPECT_EQ(cost_of(price, tokens(1, 2, 3, 4)).value, 3241);
  EXPECT_EQ(cost_of(price, {}).value, 0);
}

TEST(CostOf, ReasoningIsPartOfTheOutput) {
  const Price price{{0}, {2'000'000}, {0}, {0}};
  Usage usage = tokens(0, 0, 0, 10);
  usage.reasoning = 7;
  EXPECT_EQ(cost_of(price, usage).value, 20);
}

TEST(CostOf, RoundsHalfUpOnceForTheSum) {
  const Price price{{1}, {1}, {1}, {1}};  // a billionth of a dollar per million tokens
  EXPECT_EQ(cost_of(price, tokens(499'999, 0, 0, 0)).value, 0);
  EXPECT_EQ(cost_of(price, tokens(500'000, 0, 0, 0)).value, 1);
  EXPECT_EQ(cost_of(price, tokens(400'000, 400'000, 400'000, 400'000)).value, 2);  // each alone would be nothing
  EXPECT_EQ(cost_of(price, tokens(1'499'999, 0, 0, 0)).value, 1);
}

TEST(CostOf, DoesNotOverflow) {
  const Price price{{1'000'000'000'000}, {1'000'000'000'000}, {0}, {0}};  // 1,000 dollars per million
  EXPECT_EQ(cost_of(price, tokens(1'000'000'000, 0, 0, 1'000'000'000)).value, 2'000'000'000'000'000);
}

TEST(DollarsText, AlwaysNineDecimals) {
  EXPECT_EQ(dollars_text({0}), "0.000000000");
  EXPECT_EQ(dollars_text({1}), "0.000000001");
  EXPECT_EQ(dollars_text({123'456}), "0.000123456");
  EXPECT_EQ(dollars_text({999'999'999}), "0.999999999");
  EXPECT_EQ(dollars_text({1'000'000'000}), "1.000000000");
  EXPECT_EQ(dollars_text({12'345'678'901}), "12.345678901");
  EXPECT_EQ(dollars_text({-1}), "-0.000000001");
  EXPECT_EQ(dollars_text({std::numeric_limits<std::int64_t>::max()}), "9223372036.854775807");
  EXPECT_EQ(dollars_text({std::numeric_limits<std::int64_t>::min()}), "-9223372036.854775808");
}

TEST(Usage, HoldsWhereNothingIsNegativeAndReasoningIsInside) {
  Usage usage = tokens(1, 2, 3, 4);
  EXPECT_EQ(usage.prompt(), 6);
  usage.reasoning = 4;
  EXPECT_TRUE(usage_holds(usage));
  usage.reasoning = 5;
  EXPECT_FALSE(usage_holds(usage));
  EXPECT_FALSE(usage_holds(tokens(-1, 0, 0, 0)));
  EXPECT_FALSE(usage_holds(tokens(0, -1, 0, 0)));
  EXPECT_FALSE(usage_holds(tokens(0, 0, -1, 0)));
}

TEST(Usage, FourBytesAreAboutOneToken) {
  EXPECT_EQ(tokens_from_bytes(0), 0);
  EXPECT_EQ(tokens_from_bytes(1), 1);
  EXPECT_EQ(tokens_from_bytes(4), 1);
  EXPECT_EQ(tokens_from_bytes(5), 2);
}

}  // namespace
}  // namespace weir
