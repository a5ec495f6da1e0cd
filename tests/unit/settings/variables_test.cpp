#include "settings/variables.hpp"

#include "unit/settings/loading.hpp"

namespace weir::settings {
namespace {

using testing::World;

const World kWorld{.variables = {{"A", "alpha"}, {"EMPTY", ""}, {"B_2", "beta"}},
                   .files = {{"/run/secrets/key", "sk-file\n"}, {"/run/two", "one\ntwo\r\n"}}};

std::string replaced(std::string_view text) {
  const auto result = replace_variables(text, kWorld.environment());
  if (!result) return "error: " + result.error().message;
  return result->unset.empty() ? result->text : "unset: " + result->unset;
}

TEST(Variables, a_variable_inside_of_a_text) {
  EXPECT_EQ(replaced("x-${A}-${B_2}-y"), "x-alpha-beta-y");
}
TEST(Variables, a_default_is_taken_when_unset_or_empty) {
  EXPECT_EQ(replaced("${NONE:-x}"), "x");
  EXPECT_EQ(replaced("${EMPTY:-x}"), "x");
  EXPECT_EQ(replaced("${A:-x}"), "alpha");
  EXPECT_EQ(replaced("${NONE:-}"), "");
}
TEST(Variables, unset_and_empty_are_noted) {
  EXPECT_EQ(replaced("${NONE}"), "unset: NONE");
  EXPECT_EQ(replaced("${EMPTY}"), "unset: EMPTY");
}
TEST(Variables, a_file_loses_its_last_line_break) {
  EXPECT_EQ(replaced("${file:/run/secrets/key}"), "sk-file");
  EXPECT_EQ(replaced("${file:/run/two}"), "one\ntwo");
}
TEST(Variables, a_missing_file_is_an_error_that_names_it) {
  EXPECT_EQ(replaced("${file:/none}"), "error: /none cannot be read: No such file or directory");
}
TEST(Variables, a_doubled_dollar_is_one) {
  EXPECT_EQ(replaced("$${A} costs $$5 or $5"), "${A} costs $5 or $5");
}
TEST(Variables, what_a_variable_holds_is_not_replaced_again) {
  const World world{.variables = {{"A", "${B}"}, {"B", "beta"}}, .files = {}};
  EXPECT_EQ(replace_variables("${A}", world.environment())->text, "${B}");
}
TEST(Variables, broken_forms) {
  for (const char* text : {"${", "${A", "${}", "${1A}", "${A-x}", "${A B}", "${file:}"}) {
    EXPECT_TRUE(replaced(text).starts_with("error: ")) << text;
  }
}

}  // namespace
}  // namespace weir::settings
