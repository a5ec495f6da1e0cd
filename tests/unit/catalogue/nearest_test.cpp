#include "catalogue/nearest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir::catalogue {
namespace {

std::string near(std::string_view name, std::initializer_list<std::string_view> candidates) {
  return std::string{nearest(name, std::span{candidates.begin(), candidates.size()}).value_or("none")};
}

TEST(Nearest, a_swap_is_one_edit) {
  EXPECT_EQ(near("modle", {"task", "model"}), "model");
}
TEST(Nearest, a_missing_dash) {
  EXPECT_EQ(near("gpt5.5", {"gpt-4o", "gpt-5.5"}), "gpt-5.5");
}
TEST(Nearest, a_third_of_the_length_is_the_limit) {
  EXPECT_EQ(near("abcdef", {"abcdXY"}), "abcdXY");
  EXPECT_EQ(near("abcdef", {"abcXYZ"}), "none");
}
TEST(Nearest, a_short_name_may_have_one_edit) {
  EXPECT_EQ(near("od", {"id"}), "id");
  EXPECT_EQ(near("x", {"y"}), "none");
}
TEST(Nearest, the_case_does_not_count) {
  EXPECT_EQ(near("GPT-4O", {"gpt-4o-mini", "gpt-4o"}), "gpt-4o");
}
TEST(Nearest, the_nearest_wins_and_the_first_of_equals) {
  EXPECT_EQ(near("gpt-4o-mnii", {"gpt-4o", "gpt-4o-mini"}), "gpt-4o-mini");
  EXPECT_EQ(near("aaab", {"aaac", "aaad"}), "aaac");
}
TEST(Nearest, nothing_for_nothing) {
  EXPECT_EQ(near("", {"a"}), "none");
  EXPECT_EQ(near("abc", {}), "none");
  EXPECT_EQ(near("abc", {""}), "none");
}
TEST(Nearest, a_very_long_name_has_no_neighbour) {
  const std::string longer(Nearest::longest + 1, 'a');
  EXPECT_EQ(near(longer, {longer}), "none");
  const std::string most(Nearest::longest, 'a');
  EXPECT_EQ(near(most, {most}), most);
}

}  // namespace
}  // namespace weir::catalogue
