#include "admission/key_text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weir::admission {
namespace {

TEST(KeyText, AKeyHasItsFormAndIsUnlikeTheNext) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string key = make_key_text();
    EXPECT_EQ(key.size(), 45U);
    EXPECT_TRUE(key.starts_with("wr_"));
    EXPECT_TRUE(is_key_text(key)) << key;
    EXPECT_TRUE(seen.insert(key).second);
  }
}

TEST(KeyText, OneWrongCharacterAnywhereIsSeen) {
  const std::string key = make_key_text();
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string other = key;
    other[i] = other[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(is_key_text(other)) << i;
    EXPECT_FALSE(is_key_text(key.substr(0, i)));
  }
  EXPECT_FALSE(is_key_text(key + "a"));
}

TEST(KeyText, TheHashIsSha256OfTheText) {
  EXPECT_EQ(hash_of_key("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(KeyText, HashesAreReadInBothCasesAndNothingElse) {
  std::array<unsigned char, 32> hash{};
  EXPECT_TRUE(parse_key_hash("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash));
  EXPECT_EQ(hash[0], 0xBA);
  EXPECT_EQ(hash[31], 0xAD);
  EXPECT_FALSE(parse_key_hash("ba78", hash));
  EXPECT_FALSE(parse_key_hash(std::string(63, 'a') + "g", hash));
}

}  // namespace
}  // namespace weir::admission
