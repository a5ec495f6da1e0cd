#include "accounting/text_table.hpp"

#include <gtest/gtest.h>

namespace weir::accounting {
namespace {

TEST(TextTable, AlignsNamesLeftAndFiguresRight) {
  TextTable table({"task", "calls"}, 1);
  table.add({"zusammenfassen", "7"});
  table.add({"größe", "1,234"});
  EXPECT_EQ(table.text(), "task            calls\nzusammenfassen      7\ngröße           1,234\n");
}

TEST(TextTable, DollarsAreReadable) {
  EXPECT_EQ(money_text({0}), "$0.00");
  EXPECT_EQ(money_text({1'234'567'890'000}), "$1,234.57");
  EXPECT_EQ(money_text({10'000'000}), "$0.01");
  EXPECT_EQ(money_text({9'876'543}), "$0.0099");
  EXPECT_EQ(money_text({12'345}), "$0.000012");
  EXPECT_EQ(money_text({7}), "$0.000000007");
  EXPECT_EQ(money_text({-2'500'000'000}), "-$2.50");
  EXPECT_EQ(change_text({600'000'000'000}), "+$600.00");
  EXPECT_EQ(change_text({0}), "$0.00");
}

TEST(TextTable, CountsAndShares) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(-1'234'567), "-1,234,567");
  EXPECT_EQ(counted(1, "client retry"), "1 client retry");
  EXPECT_EQ(counted(1'200, "client retry"), "1,200 client retries");
  EXPECT_EQ(counted(0, "call"), "0 calls");
  EXPECT_EQ(short_count_text(12'345'678), "12.3 M");
  EXPECT_EQ(short_count_text(3'400'000'000), "3.4 G");
  EXPECT_EQ(share_text(1, 3), "33 %");
  EXPECT_EQ(share_text(1, 1000), "0.1 %");
  EXPECT_EQ(share_text(1, 0), "-");
}

TEST(TextTable, WhatOthersWroteDoesNotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a?[31m?b?");
  EXPECT_EQ(printable("\xC2\x9B"
                      "1m"),
            "?1m");
  EXPECT_EQ(printable("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(printable("äöüäöü", 4), "äöü…");
  EXPECT_EQ(printable("äöü", 3), "äöü");
}

}  // namespace
}  // namespace weir::accounting
