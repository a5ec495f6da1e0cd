#include "api/asked.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::api {
namespace {

Asked read(std::vector<HeaderField> fields) {
  return read_asked(fields);
}

TEST(ReadAsked, TakesWeirsHeadersWhateverTheirCase) {
  const Asked asked = read({{"Host", "x"},
                            {"X-Weir-Task", "support"},
                            {"x-weir-route", "cheap"},
                            {"X-WEIR-INCLUDE", "Cost"},
                            {"X-Request-Id", "abc"}});
  EXPECT_EQ(asked.task, "support");
  EXPECT_EQ(asked.route, "cheap");
  EXPECT_TRUE(asked.include_cost);
  EXPECT_EQ(asked.request_id, "abc");
}

TEST(ReadAsked, TwoTraceparentsAreNone) {
  EXPECT_EQ(read({{"TraceParent", "00-a"}}).traceparent, "00-a");
  EXPECT_EQ(read({{"traceparent", "00-a"}, {"traceparent", "00-a"}}).traceparent, ",");
  EXPECT_EQ(read({{"traceparent", "00-a"}, {"traceparent", "00-a"}, {"traceparent", "00-a"}}).traceparent, ",");
}

TEST(ReadAsked, NothingAskedIsNothing) {
  const Asked asked = read({{"Host", "x"},
                            {"x-weir-unknown", "y"},
                            {"x-weir-tasks", "y"},
                            {"y-weir-task", "y"},
                            {"x_weir_task", "y"},
                            {"x-weir-include", "costs"},
                            {"x", "y"},
                            {"", ""}});
  EXPECT_EQ(asked.task, "");
  EXPECT_EQ(asked.route, "");
  EXPECT_FALSE(asked.include_cost);
  EXPECT_EQ(asked.request_id, "");
}

TEST(ReadAsked, ARequestIdIsTakenOnlyIfItMayBeEchoed) {
  for (const std::string& good : {std::string("a"), std::string("AZaz09._:-"), std::string(128, 'x')}) {
    EXPECT_EQ(read({{"x-request-id", good}}).request_id, good);
  }
  for (const std::string& bad :
       {std::string(""), std::string(129, 'x'), std::string("a b"), std::string("a/b"), std::string("a\"b"),
        std::string("a\xC3\xA9"), std::string("a\r\nb"), std::string("a,b")}) {
    EXPECT_EQ(read({{"x-request-id", bad}}).request_id, "") << bad;
  }
}

TEST(CheckTask, ANameThatMayBeALabel) {
  for (const std::string& good : {std::string("a"), std::string("Support.v2_x:y-z"), std::string(64, 'x'),
                                  std::string("weird"), std::string("weir")}) {
    EXPECT_FALSE(check_task(good, "x-weir-task")) << good;
  }
}

TEST(CheckTask, ARefusalNamesWhereItWasGiven) {
  for (const std::string& bad : {std::string(""), std::string(65, 'x'), std::string("a b"), std::string("a/b"),
                                 std::string("\xC3\xA9"), std::string("a\nb"), std::string("weir:probe")}) {
    for (const char* where : {"x-weir-task", "metadata.task_type"}) {
      const auto refusal = check_task(bad, where);
      ASSERT_TRUE(refusal) << bad;
      EXPECT_EQ(refusal->param, where);
      EXPECT_TRUE(refusal->message.starts_with(where)) << refusal->message;
    }
  }
  EXPECT_NE(check_task("weir:x", "x-weir-task")->message.find("weir:"), std::string::npos);
}

}  // namespace
}  // namespace weir::api
