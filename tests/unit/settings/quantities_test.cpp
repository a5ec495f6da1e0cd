#include "settings/quantities.hpp"

#include <gtest/gtest.h>

namespace weir::settings {
namespace {

using namespace std::chrono_literals;

TEST(Quantities, durations) {
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("2s"), 2s);
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("10m"), 10min);
  EXPECT_EQ(*parse_duration("1h"), 1h);
  EXPECT_EQ(*parse_duration("1d"), 24h);
  EXPECT_EQ(*parse_duration("0s"), 0s);
}
TEST(Quantities, durations_that_are_none) {
  for (const char* text :
       {"", "2", "s", "2 s", "-2s", "2sec", "0.5ms", "1e3s", "400d", "99999999999999999999s", ".5s", "1.s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}
TEST(Quantities, sizes) {
  EXPECT_EQ(*parse_size("32MiB"), 32U << 20);
  EXPECT_EQ(*parse_size("512KiB"), 512U << 10);
  EXPECT_EQ(*parse_size("10MB"), 10'000'000U);
  EXPECT_EQ(*parse_size("1.5MiB"), 3U << 19);
  EXPECT_EQ(*parse_size("4096B"), 4096U);
  EXPECT_EQ(*parse_size("1GiB"), 1U << 30);
}
TEST(Quantities, sizes_that_are_none) {
  for (const char* text : {"", "32", "32 MiB", "32mib", "MiB", "-1KiB", "0.3B", "9999999GiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}
TEST(Quantities, money_is_exact) {
  EXPECT_EQ(parse_money("0.05 USD")->value, 50'000'000);
  EXPECT_EQ(parse_money("600 USD")->value, 600'000'000'000);
  EXPECT_EQ(parse_dollars("0.075")->value, 75'000'000);
  EXPECT_EQ(parse_dollars("0.000000001")->value, 1);
  EXPECT_FALSE(parse_dollars("0.0000000001"));
  EXPECT_FALSE(parse_money("0.05"));
  EXPECT_FALSE(parse_money("0.05 EUR"));
  EXPECT_FALSE(parse_money("0.05USD"));
  EXPECT_FALSE(parse_dollars("-1"));
}
TEST(Quantities, counts) {
  EXPECT_EQ(*parse_count("0"), 0);
  EXPECT_EQ(*parse_count("20000"), 20'000);
  for (const char* text : {"", "-1", "+1", "1.5", "1k", " 1", "0x10", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
}
TEST(Quantities, flags_are_true_and_false_only) {
  EXPECT_TRUE(*parse_flag("true"));
  EXPECT_FALSE(*parse_flag("false"));
  for (const char* text : {"", "yes", "on", "True", "1"}) EXPECT_FALSE(parse_flag(text)) << text;
}
TEST(Quantities, addresses) {
  EXPECT_EQ(*parse_address("127.0.0.1:8080"), (Address{"127.0.0.1", 8080}));
  EXPECT_EQ(*parse_address("[::1]:8080"), (Address{"::1", 8080}));
  EXPECT_EQ(*parse_address("localhost:0"), (Address{"localhost", 0}));
}
TEST(Quantities, addresses_that_are_none) {
  for (const char* text : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:8080", "[::1:8080",
                           "[]:1", "a b:1", "*:80", "127.0.0.1:-1"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}
TEST(Quantities, loopback) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "127.evil.example", "localhost.example"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}
TEST(Quantities, base_urls) {
  EXPECT_EQ(*parse_base_url("https://api.openai.com/v1"), "https://api.openai.com/v1");
  EXPECT_EQ(*parse_base_url("http://127.0.0.1:11434/v1/"), "http://127.0.0.1:11434/v1");
  EXPECT_EQ(*parse_base_url("http://[::1]:8000/v1"), "http://[::1]:8000/v1");
  EXPECT_EQ(*parse_base_url("https://example.com/"), "https://example.com");
}
TEST(Quantities, base_urls_that_are_none) {
  for (const char* text : {"", "api.openai.com", "ftp://x/v1", "https://", "https:///v1", "https://a b/v1",
                           "https://x/v1?k=1", "https://x/v1#f", "https://user:pw@x/v1", "https://x:/v1",
                           "https://x:0/v1", "https://x:99999/v1", "https://[::1/v1", "https://x/\r\nHost:y"}) {
    EXPECT_FALSE(parse_base_url(text)) << text;
  }
}

}  // namespace
}  // namespace weir::settings
