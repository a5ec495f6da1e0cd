#include "dialects/anthropic/model_list.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weir::anthropic {
namespace {

TEST(AnthropicModelList, OnePageInTheApisShape) {
  const std::vector<openai_chat::ListedModel> models{{"a\"b", "x", 0}, {"c", "y", 1'739'923'200}};
  EXPECT_EQ(anthropic::encode_model_list(models),
            R"({"data":[{"type":"model","id":"a\"b","display_name":"a\"b","created_at":"1970-01-01T00:00:00Z"},)"
            R"({"type":"model","id":"c","display_name":"c","created_at":"2025-02-19T00:00:00Z"}],)"
            R"("has_more":false,"first_id":"a\"b","last_id":"c"})");
  EXPECT_EQ(anthropic::encode_model_list({}), R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
  EXPECT_EQ(anthropic::encode_model(models[1]),
            R"({"type":"model","id":"c","display_name":"c","created_at":"2025-02-19T00:00:00Z"})");
}

}  // namespace
}  // namespace weir::anthropic
