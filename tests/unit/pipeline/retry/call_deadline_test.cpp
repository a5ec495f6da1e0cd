#include "pipeline/retry/call_deadline.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace weir::pipeline {
namespace {

using namespace std::chrono_literals;

std::optional<std::chrono::milliseconds> of(std::string_view name, std::string_view value) {
  const std::array fields{HeaderField{"Content-Type", "application/json"}, HeaderField{name, value}};
  return client_timeout(fields);
}

TEST(CallDeadline, TheSdksSayHowLongTheyWait) {
  EXPECT_EQ(of("x-stainless-read-timeout", "600"), 600s);
  EXPECT_EQ(of("X-Stainless-Read-Timeout", "0.5"), 500ms);
  EXPECT_EQ(of("x-stainless-timeout", "60"), 60s);
}

TEST(CallDeadline, WhatIsNoTimeDoesNotCount) {
  for (const char* value : {"", "none", "NaN", "-1", "0", "1e9", "inf", "10s", "NOT_GIVEN"}) {
    EXPECT_EQ(of("x-stainless-timeout", value), std::nullopt) << value;
  }
  EXPECT_EQ(of("x-stainless-tameout", "60"), std::nullopt);
  EXPECT_EQ(client_timeout({}), std::nullopt);
}

}  // namespace
}  // namespace weir::pipeline
