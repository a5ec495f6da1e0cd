#include "app/state_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

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

accounting::LedgerSettings to(std::string place) {
  accounting::LedgerSettings ledger;
  ledger.to = std::move(place);
  return ledger;
}

TEST(StateFolder, IsTheSettingsFilesFolder) {
  const Variable state("STATE_DIRECTORY", "/var/lib/weir");
  EXPECT_EQ(state_folder(Source{"/etc/weir/weir.yaml", ""}), "/etc/weir");
  EXPECT_EQ(state_folder(Source{"weir.yaml", ""}), fs::current_path());
  EXPECT_EQ(ledger_place(Source{"/etc/weir/weir.yaml", ""}, {}).to, "/etc/weir/weir.db");
}

TEST(StateFolder, WithoutAFileTheStateDirectoryThenHome) {
  const Variable home("HOME", "/home/someone");
  {
    const Variable state("STATE_DIRECTORY", "/var/lib/weir:/var/lib/other");
    EXPECT_EQ(state_folder({}), "/var/lib/weir");
  }
  const Variable state("STATE_DIRECTORY", nullptr);
  EXPECT_EQ(state_folder({}), "/home/someone/.local/state/weir");
}

TEST(StateFolder, IsMadeForItsOwnerAloneWhereALedgerIsWanted) {
  const fs::path root = fs::temp_directory_path() / ("weir-state-" + std::to_string(getpid()));
  const fs::path folder = root / ".local/state/weir";
  const Variable state("STATE_DIRECTORY", nullptr);
  const Variable home("HOME", root.c_str());
  EXPECT_EQ(ledger_place({}, to("off")).to, "off");
  EXPECT_FALSE(fs::exists(root));
  EXPECT_EQ(ledger_place({}, {}).to, (folder / "weir.db").string());
  struct stat status{};
  ASSERT_EQ(stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  fs::remove_all(root);
}

}  // namespace
}  // namespace weir::app
