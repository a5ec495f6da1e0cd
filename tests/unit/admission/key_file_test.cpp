#include "admission/key_file.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include "admission/key_text.hpp"

namespace weir::admission {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kHour = 3'600'000;

class KeyFileTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(file()).rdbuf();
    return text.str();
  }
  std::filesystem::path file() const { return folder_ / "weir.keys"; }

  std::filesystem::path folder_ = testing::TempDir() + "/key_file_" + std::to_string(getpid());
};

KeySettings configured(std::string name) {
  KeySettings key;
  key.name = std::move(name);
  key.hash = hash_of_key(key.name);
  key.group = "search";
  key.models = {"a", "b/*"};
  key.routes = {"r"};
  key.zones = {"onprem"};
  key.may.add(Power::task);
  key.may.add(Power::passthrough);
  return key;
}

TEST_F(KeyFileTest, NoFileIsNoChanges) {
  EXPECT_EQ(*load_key_changes(file()), KeyChanges{});
}

TEST_F(KeyFileTest, ChangesComeBackAsTheyWentAndOnlyTheOwnerReadsThem) {
  KeyChanges changes;
  changes.made.push_back(configured("made"));
  changes.made[0].expires_unix_ms = 17;
  changes.ends[hash_of_key("other")] = 4711;
  ASSERT_TRUE(save_key_changes(file(), changes));
  EXPECT_EQ(*load_key_changes(file()), changes);
  struct stat status{};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_FALSE(std::filesystem::exists(file().string() + ".new"));
}

TEST_F(KeyFileTest, ACutOrForeignFileIsRefusedWithoutRepeatingIt) {
  KeyChanges changes;
  changes.made.push_back(configured("made"));
  ASSERT_TRUE(save_key_changes(file(), changes));
  const std::string whole = content();
  for (std::size_t cut = 0; cut + 2 < whole.size(); ++cut) {
    std::ofstream(file()) << whole.substr(0, cut);
    const auto loaded = load_key_changes(file());
    ASSERT_FALSE(loaded.has_value()) << cut;
    EXPECT_THAT(loaded.error().message, HasSubstr("stores.keys: "));
    EXPECT_EQ(loaded.error().message.find("sha256"), std::string::npos);
  }
}

TEST_F(KeyFileTest, WhatCannotBeWrittenSaysWhereAndChangesNothing) {
  ASSERT_TRUE(save_key_changes(file(), {}));
  const std::string before = content();
  const auto saved = save_key_changes(folder_ / "missing" / "weir.keys", {});
  ASSERT_FALSE(saved.has_value());
  EXPECT_THAT(saved.error().message, HasSubstr("missing"));
  EXPECT_EQ(content(), before);
}

TEST(Keys, ANewKeyIsShownAndOnlyItsHashIsKept) {
  const auto made = make_key("checkout", "search");
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(is_key_text(made->text));
  EXPECT_EQ(made->settings.hash, hash_of_key(made->text));
  EXPECT_EQ(made->settings.group, "search");
  EXPECT_FALSE(make_key("two words", "").has_value());
  EXPECT_FALSE(make_key("", "").has_value());
  EXPECT_FALSE(make_key("a", "b}").has_value()) << "it would break the line to paste";
}

TEST(Keys, ARevokedKeyEndsNowWhereverItStands) {
  const std::vector<KeySettings> settings{configured("one"), configured("two")};
  KeyChanges changes;
  ASSERT_TRUE(revoke_key("one", 100, settings, changes));
  const auto now = keys_in_force(settings, changes);
  EXPECT_EQ(now[0].expires_unix_ms, 100);
  EXPECT_EQ(now[1].expires_unix_ms, 0);
  EXPECT_FALSE(revoke_key("one", 101, now, changes).has_value()) << "it has ended already";
  EXPECT_THAT(revoke_key("three", 101, now, changes).error().message, HasSubstr("no key called three"));
}

TEST(Keys, ARotatedKeyHasTheRightsOfTheOldOneWhichEndsAfterAWhile) {
  const std::vector<KeySettings> settings{configured("one")};
  KeyChanges changes;
  const auto made = rotate_key("one", 1000, kHour, settings, changes);
  ASSERT_TRUE(made.has_value());
  const auto now = keys_in_force(settings, changes);
  ASSERT_EQ(now.size(), 2U);
  EXPECT_EQ(now[0].expires_unix_ms, 1000 + kHour);
  EXPECT_EQ(now[1].hash, hash_of_key(made->text));
  EXPECT_EQ(now[1].models, settings[0].models);
  EXPECT_EQ(now[1].may, settings[0].may);
  EXPECT_EQ(now[1].expires_unix_ms, 0);
  // Once more within the grace: an end is never put off.
  ASSERT_TRUE(rotate_key("one", 2000, 2 * kHour, now, changes).has_value());
  EXPECT_EQ(keys_in_force(settings, changes)[0].expires_unix_ms, 1000 + kHour);
}

TEST(Keys, AMadeKeyWhoseLineWasPastedStandsOnce) {
  KeyChanges changes;
  changes.made.push_back(configured("one"));
  EXPECT_EQ(keys_in_force({configured("one")}, changes).size(), 1U);
}

TEST(Keys, WhatEndedLongAgoIsForgottenUnlessTheSettingsStillHaveIt) {
  constexpr std::int64_t later = std::int64_t{91} * 24 * kHour;
  KeyChanges changes;
  changes.made.push_back(configured("made"));
  changes.ends[configured("made").hash] = 0;
  changes.ends[configured("kept").hash] = 0;
  changes.ends[configured("fresh").hash] = later;
  forget_old(later, {configured("kept")}, changes);
  EXPECT_TRUE(changes.made.empty());
  EXPECT_EQ(changes.ends.size(), 2U);
}

}  // namespace
}  // namespace weir::admission
