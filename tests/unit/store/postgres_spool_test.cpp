#include "store/postgres_spool.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "store/postgres_document.hpp"
#include "store/postgres_names.hpp"
#include "unit/store/postgres_batches.hpp"

namespace weir::store {
namespace {

class PostgresSpoolTest : public testing::Test {
 protected:
  PostgresSpoolTest() {
    folder_ = (std::filesystem::temp_directory_path() / "weir-spool-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = postgres_spool_file(folder_, 0xabc);
  }
  ~PostgresSpoolTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<PostgresSpool> open(bool make) {
    auto spool = PostgresSpool::open(path_, make);
    if (!spool) throw std::runtime_error(spool.error().message);
    return std::move(*spool);
  }
  void write(std::string_view bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string read() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder_;
  std::string path_;
};

TEST_F(PostgresSpoolTest, GivesBackInOrderAndGoesWhenEmpty) {
  const auto spool = open(true);
  ASSERT_TRUE(spool->append("one", 1));
  ASSERT_TRUE(spool->append("two", 2));
  EXPECT_EQ(spool->calls(), 3U);
  EXPECT_EQ(spool->oldest()->text, "one");
  EXPECT_EQ(spool->oldest()->text, "one") << "until done() is called";
  spool->done();
  ASSERT_TRUE(spool->append("three", 3));
  EXPECT_EQ(spool->calls(), 5U);
  for (const char* const text : {"two", "three"}) {
    const auto document = spool->oldest();
    ASSERT_TRUE(document);
    EXPECT_EQ(document->text, text);
    spool->done();
  }
  EXPECT_TRUE(spool->empty());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(open(false), nullptr);
}

TEST_F(PostgresSpoolTest, IsHeldByOneAtATime) {
  const auto spool = open(true);
  EXPECT_EQ(open(false), nullptr);
  EXPECT_EQ(open(true), nullptr);
}

TEST_F(PostgresSpoolTest, IsForItsOwnerOnly) {
  const auto spool = open(true);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(path_).permissions(), perms::owner_read | perms::owner_write);
}

TEST_F(PostgresSpoolTest, AnEndTornAnywhereIsCutOffAndCounted) {
  {
    const auto spool = open(true);
    ASSERT_TRUE(spool->append("the first", 1));
    ASSERT_TRUE(spool->append("the second", 2));
  }
  const std::string whole = read();
  const std::size_t first = 24 + 9;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    const auto spool = open(false);
    ASSERT_NE(spool, nullptr);
    const std::size_t sound = size < first ? 0 : first;
    EXPECT_EQ(spool->torn_bytes(), size - sound) << size;
    EXPECT_EQ(spool->calls(), sound == 0 ? 0U : 1U) << size;
    // What comes next is found again.
    ASSERT_TRUE(spool->append("the third", 3));
    if (sound != 0) spool->done();
    EXPECT_EQ(spool->oldest()->text, "the third");
  }
}

TEST_F(PostgresSpoolTest, AByteThatTheDiskChangedIsSeen) {
  {
    const auto spool = open(true);
    ASSERT_TRUE(spool->append("the first", 1));
    ASSERT_TRUE(spool->append("the second", 2));
  }
  const std::string whole = read();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    write(changed);
    const auto spool = open(false);
    ASSERT_NE(spool, nullptr);
    bool seen = spool->torn_bytes() > 0;
    while (!spool->empty()) {
      const auto document = spool->oldest();
      ASSERT_TRUE(document);
      seen = seen || !document->sound;
      EXPECT_TRUE(!document->sound || document->text == "the first" || document->text == "the second");
      spool->done();
    }
    EXPECT_TRUE(seen) << at;
  }
}

TEST_F(PostgresSpoolTest, SomethingElseUnderItsNameIsNotReadAsOne) {
  write(std::string(1000, '\0'));
  EXPECT_EQ(open(false)->torn_bytes(), 1000U);
  std::filesystem::remove(path_);
  std::filesystem::create_symlink("/etc/hostname", path_);
  EXPECT_FALSE(PostgresSpool::open(path_, true)) << "links are not followed";
}

TEST_F(PostgresSpoolTest, FilesOfTheFolderAreFoundByTheirNames) {
  std::ofstream(folder_ + "/ledger.rejected") << "x";
  std::ofstream(folder_ + "/other") << "x";
  open(true);
  EXPECT_EQ(postgres_spool_files(folder_), std::vector<std::string>{path_});
  EXPECT_EQ(postgres_spool_file(folder_ + "/", 0xabc), path_);
  EXPECT_TRUE(postgres_spool_files(folder_ + "/none").empty());
}

TEST_F(PostgresSpoolTest, DurableLinesStopAtTheLimit) {
  const std::string path = folder_ + "/ledger.rejected";
  ASSERT_TRUE(append_durably(path, "12345\n", 12));
  ASSERT_TRUE(append_durably(path, "12345\n", 12));
  EXPECT_FALSE(append_durably(path, "1", 12));
  EXPECT_EQ(std::filesystem::file_size(path), 12U);
}

TEST(PostgresDocumentTest, IsCutIntoItsCallsAndPutTogetherAgain) {
  Random random(3);
  LedgerBatch batch = random_batch(random, 20);
  batch.calls[4].user = ",\n{\"id\":\"x\"},\n";
  PostgresNames names;
  PostgresDocument writer(names);
  const std::string document(writer.write(batch));
  const auto calls = postgres_calls_of(document);
  EXPECT_EQ(calls.size(), 20U);
  EXPECT_EQ(postgres_document_of(calls), document);
  EXPECT_EQ(writer.write(LedgerBatch()), "[\n]");
  EXPECT_TRUE(postgres_calls_of("[\n]").empty());
}

}  // namespace
}  // namespace weir::store
