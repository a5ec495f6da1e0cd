#include "store/sqlite_names.hpp"

#include <gtest/gtest.h>

#include "fakes/ledger_rows.hpp"
#include "store/sqlite_database.hpp"

namespace weir::store::sqlite {
namespace {

TEST(SqliteNames, AFloodOfNamesEndsInOther) {
  const fakes::Folder folder;
  ASSERT_TRUE(open_sqlite_ledger(folder.file(), 1));  // makes the tables
  auto database = Database::open(folder.file(), Database::Mode::write);
  ASSERT_TRUE(database) << database.error().message;
  constexpr std::int64_t names_max = 20;
  std::int64_t other = 0;
  {
    auto names = Names::prepare(*database, names_max);
    ASSERT_TRUE(names);
    const std::int64_t first = names->name("first");
    for (int i = 0; i < 100; ++i) ASSERT_GT(names->name("invented-" + std::to_string(i)), 0);
    EXPECT_EQ(names->name("first"), first) << "what was there keeps its number";
    other = names->name("other");
    EXPECT_EQ(names->name("invented-99"), other);
    EXPECT_NE(names->name("invented-0"), other);
  }
  // A process that starts later knows how many there are.
  auto names = Names::prepare(*database, names_max);
  ASSERT_TRUE(names);
  EXPECT_EQ(names->name("one more"), other);
}

}  // namespace
}  // namespace weir::store::sqlite
