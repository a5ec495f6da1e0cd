#include "dialects/anthropic/error_body.hpp"

#include <gtest/gtest.h>

namespace weir::anthropic {
namespace {

TEST(AnthropicErrorBody, OnlyWhatTheSdksReadIsPassedOn) {
  for (const char* body :
       {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"})",
        R"( {"error": {"message":"m","type":"t","details":{}}, "type":"error"} )"}) {
    EXPECT_TRUE(is_well_formed_error(body)) << body;
  }
  for (const char* body :
       {"", "{}", "[]", R"({"error":{"type":"t","message":"m"}})", R"({"type":"error","error":"m"})",
        R"({"type":"error","error":{"type":"t"}})", R"({"type":"error","error":{"type":1,"message":"m"}})",
        R"({"type":"error","error":{"type":"t","message":"m"}} x)",
        R"({"type":"error","error":{"type":"t","message":"m"})",
        R"({"error":{"message":"m","type":"t","param":null,"code":null}})", "<html>",
        "{\"type\":\"error\",\"error\":{\"type\":\"t\",\"message\":\"\xff\"}}"}) {
    EXPECT_FALSE(is_well_formed_error(body)) << body;
  }
}

}  // namespace
}  // namespace weir::anthropic
