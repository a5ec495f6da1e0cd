#include "app/state_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace weir::app {
namespace {

namespace fs = std::filesystem;

/// A variable of the environment for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* const old = std::getenv(name)) old_ = old;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(StateFolder, RelativePathsBeginAtTheSettingsFile) {
  const Variable state("STATE_DIRECTORY", "/var/lib/weir");
  const Source source{"/etc/weir/weir.yaml", ""};
  EXPECT_EQ(ledger_place(source, "books/ledger.db"), "/etc/weir/books/ledger.db");
  EXPECT_EQ(ledger_place(source, ""), "/etc/weir/weir.db");
  EXPECT_EQ(ledger_place(source, "file"), "/etc/weir/weir.db");
  EXPECT_EQ(ledger_place(source, "/srv/weir.db"), "/srv/weir.db");
  EXPECT_EQ(ledger_place(source, "../weir.db"), "/etc/weir.db");
  EXPECT_EQ(ledger_place(Source{"weir.yaml", ""}, ""), (fs::current_path() / "weir.db").string());
}

TEST(StateFolder, WithoutAFileTheStateDirectoryThenHome) {
  const Variable home("HOME", "/home/someone");
  {
    const Variable state("STATE_DIRECTORY", "/var/lib/weir:/var/lib/other");
    EXPECT_EQ(ledger_place({}, ""), "/var/lib/weir/weir.db");
  }
  const Variable state("STATE_DIRECTORY", nullptr);
  EXPECT_EQ(ledger_place({}, ""), "/home/someone/.local/state/weir/weir.db");
  const Variable homeless("HOME", nullptr);
  const auto nowhere = ledger_place({}, "");
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, testing::HasSubstr("stores.ledger"));
}

TEST(StateFolder, OffAndPostgresAreNoPaths) {
  EXPECT_EQ(ledger_place(Source{"/etc/weir/weir.yaml", ""}, "off"), "off");
  EXPECT_EQ(ledger_place({}, "postgres://weir@db/books"), "postgres://weir@db/books");
  EXPECT_TRUE(is_postgres("postgresql://db/books"));
  EXPECT_FALSE(is_postgres("postgres.db"));
}

TEST(StateFolder, IsMadeForItsOwnerAlone) {
  const fs::path root = fs::temp_directory_path() / ("weir-state-" + std::to_string(getpid()));
  const fs::path folder = root / ".local/state/weir";
  ASSERT_TRUE(make_state_folder(folder));
  struct stat status{};
  ASSERT_EQ(stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  EXPECT_TRUE(make_state_folder(folder)) << "twice is no error";
  std::ofstream(root / "file") << "x";
  const auto refused = make_state_folder(root / "file" / "weir");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("stores.ledger: cannot make"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace weir::app
