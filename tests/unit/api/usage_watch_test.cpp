#include "api/usage_watch.hpp"

#include <gtest/gtest.h>

namespace weir::api {
namespace {

constexpr std::string_view kReply =
    R"({"object":"list", "data" : [{"embedding":[0.5,-1e3],"usage":{"prompt_tokens":9},"model":"no"},)"
    R"({"text":"\"usage\":{\"prompt_tokens\":7}, }]{"}], "model" : "text-embedding-3-small" ,)"
    R"("note":"{[\\","usage" : {"prompt_tokens":3,"total_tokens":3} })";

TEST(UsageWatch, FindsWhatTheReplySaysHoweverItIsCut) {
  for (std::size_t cut = 0; cut <= kReply.size(); ++cut) {
    UsageWatch watch;
    watch.feed(kReply.substr(0, cut));
    watch.feed(kReply.substr(cut));
    EXPECT_EQ(watch.usage().uncached, 3) << cut;
    EXPECT_TRUE(watch.usage().reported);
    EXPECT_EQ(watch.usage().output, 0);
    EXPECT_EQ(watch.model(), "text-embedding-3-small");
  }
  UsageWatch watch;
  for (const char c : kReply) watch.feed({&c, 1});
  EXPECT_EQ(watch.usage().uncached, 3);
}

TEST(UsageWatch, SaysNothingOfWhatIsNoReply) {
  for (const std::string_view text :
       {"", "[]", "null", "{", R"([{"usage":{"prompt_tokens":3}}])", R"({"usage":null,"model":7})",
        R"({"usage":{"prompt_tokens":)", R"("usage":{"prompt_tokens":3})", "]]]}}}{{{", R"({"usage":[{"x)"}) {
    UsageWatch watch;
    watch.feed(text);
    EXPECT_FALSE(watch.usage().reported) << text;
    EXPECT_EQ(watch.model(), "") << text;
  }
}

TEST(UsageWatch, AFloodIsNotKept) {
  UsageWatch watch;
  watch.feed(R"({"model":")");
  for (int i = 0; i < 10'000; ++i) watch.feed("aaaaaaaaaaaaaaaa");
  watch.feed(R"(","usage":{"prompt_tokens":3}})");
  EXPECT_EQ(watch.model(), "");
  EXPECT_EQ(watch.usage().uncached, 3);
}

}  // namespace
}  // namespace weir::api
