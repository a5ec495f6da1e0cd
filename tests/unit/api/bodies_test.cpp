#include "api/bodies.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace weir::api {
namespace {

/// What a raw body becomes for another model.
std::string addressed(std::string_view body, std::string_view model) {
  auto found = openai_chat::find_model(body);
  EXPECT_TRUE(found.has_value()) << body;
  const RawBody raw(std::move(*found));
  std::string result;
  raw.patch_for(model).for_each_piece(body, [&](std::string_view piece) { result += piece; });
  return result;
}

TEST(RawBody, OnlyTheModelsNameChanges) {
  EXPECT_EQ(addressed(R"( { "input" : "x", "model" : "fast" , "n":1 } )", "gpt-4o"),
            R"( { "input" : "x", "model" : "gpt-4o" , "n":1 } )");
  EXPECT_EQ(addressed(R"({"model":"a","deep":{"model":"b"}})", "c"), R"({"model":"c","deep":{"model":"b"}})");
}

TEST(RawBody, StaysAsItIsWhereThereIsNothingToChange) {
  for (const std::string_view body :
       {R"({"model":"same"})", R"({"input":"x"})", R"({"model":7})", "no JSON", "", R"(["model"])"}) {
    EXPECT_EQ(addressed(body, "same"), body);
  }
  EXPECT_EQ(addressed(R"({"model":"asked"})", ""), R"({"model":"asked"})");
}

TEST(RawBody, ANameNeedsItsEscapes) {
  EXPECT_EQ(addressed(R"({"model":"a"})", "x\"y\\z"), R"({"model":"x\"y\\z"})");
  EXPECT_EQ(addressed(R"({"model":"\u0061"})", "a"), R"({"model":"\u0061"})");  // the same name, spelt otherwise
}

TEST(RawBody, SaysItsModelToTheRequest) {
  Request request;
  const RawBody named(*openai_chat::find_model(R"({"model":"fast"})"));
  named.describe(request);
  EXPECT_EQ(request.model, "fast");
  EXPECT_EQ(request.addressed, &named);
  Request other;
  const RawBody without(std::nullopt);
  without.describe(other);
  EXPECT_EQ(other.model, "");
  EXPECT_EQ(other.addressed, &without);
}

TEST(WithoutEscapes, UndoesWhatIsOne) {
  EXPECT_EQ(without_escapes("gpt-4o"), "gpt-4o");
  EXPECT_EQ(without_escapes("a%2Fb%2fc"), "a/b/c");
  EXPECT_EQ(without_escapes("%41%62"), "Ab");
  EXPECT_EQ(without_escapes("%252F"), "%2F");  // once
  EXPECT_EQ(without_escapes("%"), "%");
  EXPECT_EQ(without_escapes("%4"), "%4");
  EXPECT_EQ(without_escapes("%4g%zz"), "%4g%zz");
  EXPECT_EQ(without_escapes("x%41"), "xA");
  EXPECT_EQ(without_escapes(""), "");
}

}  // namespace
}  // namespace weir::api
