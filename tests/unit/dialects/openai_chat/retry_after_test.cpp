#include "dialects/openai_chat/retry_after.hpp"

#include <gtest/gtest.h>

namespace weir::openai_chat {
namespace {

using namespace std::chrono_literals;
using Wait = std::optional<std::chrono::milliseconds>;

Wait header(std::string_view value, std::int64_t now = 0) {
  return read_retry_after({"", value, "", now});
}
Wait body(std::string_view text) {
  return read_retry_after({"", "", text, 0});
}

TEST(RetryAfter, TheFirstFormCounts) {
  EXPECT_EQ(read_retry_after({"1500", "9", R"("retryDelay": "20s")", 0}), 1500ms);
  EXPECT_EQ(read_retry_after({"soon", "9", R"("retryDelay": "20s")", 0}), 9s);
  EXPECT_EQ(read_retry_after({"", "later", R"("retryDelay": "20s")", 0}), 20s);
  EXPECT_EQ(read_retry_after({}), std::nullopt);
}

TEST(RetryAfter, SecondsMayHaveAFraction) {
  EXPECT_EQ(header("20"), 20s);
  EXPECT_EQ(header(" 0.25 "), 250ms);
  EXPECT_EQ(header("0"), 0s);
  EXPECT_EQ(header("-1"), std::nullopt);
  EXPECT_EQ(header("1e300"), std::nullopt);
  EXPECT_EQ(header("99999999999999999999"), 24h);
}

TEST(RetryAfter, ADateCountsFromNow) {
  EXPECT_EQ(header("Sun, 06 Nov 1994 08:49:37 GMT", 784111770'000), 7s);
  EXPECT_EQ(header("Sun, 06 Nov 1994 08:49:37 GMT", 784111778'000), 0s);
  for (const char* wrong :
       {"Sun, 06 Nov 1994 08:49:37 CET", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 66 Nov 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT"}) {
    EXPECT_EQ(header(wrong), std::nullopt) << wrong;
  }
}

TEST(RetryAfter, GooglesDelay) {
  EXPECT_EQ(
      body(R"({"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38.5s"}]}})"),
      38500ms);
  EXPECT_EQ(body(R"({"retryDelay" : ""})"), std::nullopt);
}

TEST(RetryAfter, Words) {
  EXPECT_EQ(body("Rate limit reached. Please try again in 20s. Visit us."), 20s);
  EXPECT_EQ(body("Please try again in 1m20.5s."), 80500ms);
  EXPECT_EQ(body("Please try again in 320ms."), 320ms);
  EXPECT_EQ(body("Please retry in 38.2 seconds"), 38200ms);
  EXPECT_EQ(body("Try again in 2 minutes"), 2min);
  EXPECT_EQ(body("try again in 6h0m0s"), 6h);
  EXPECT_EQ(body("try again in a while"), std::nullopt);
  EXPECT_EQ(body("try again in 5"), std::nullopt);
  EXPECT_EQ(body("try again in "), std::nullopt);
}

}  // namespace
}  // namespace weir::openai_chat
