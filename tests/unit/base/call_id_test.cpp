#include <weir/base/call_id.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir {
namespace {

constexpr std::int64_t kMoment = 0x017F22E279B0;  // the example of RFC 9562, A.6: 2022-02-22T19:22:22Z

TEST(CallId, HasTheFormOfAUuidVersion7) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const CallId id = CallId::make(kMoment, random);
    const std::string_view text = id.text();
    ASSERT_EQ(text.size(), 36U);
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
      ASSERT_EQ(text[at] == '-', dash) << text;
      if (!dash) ASSERT_NE(std::string_view("0123456789abcdef").find(text[at]), std::string_view::npos) << text;
    }
    ASSERT_EQ(text[14], '7') << text;                                                    // version
    ASSERT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos) << text;  // variant
    ASSERT_EQ(text.substr(0, 13), "017f22e2-79b0") << text;                              // the time
  }
}

TEST(CallId, SortsByTime) {
  Random random(2);
  std::string last;
  for (std::int64_t ms = kMoment; ms < kMoment + 70'000; ms += 7) {
    std::string id(CallId::make(ms, random).text());
    ASSERT_LT(last, id);
    last = std::move(id);
  }
}

TEST(CallId, TwoOfOneMillisecondDiffer) {
  Random random(3);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(seen.emplace(CallId::make(kMoment, random).text()).second);
}

TEST(CallId, EqualOnlyToItself) {
  Random random(4);
  const CallId one = CallId::make(kMoment, random);
  const CallId copy = one;
  EXPECT_EQ(one, copy);
  EXPECT_FALSE(one == CallId::make(kMoment, random));
}

}  // namespace
}  // namespace weir
