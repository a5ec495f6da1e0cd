#include "telemetry/log_writer.hpp"
#include "telemetry/telemetry.hpp"
#include "unit/telemetry/call_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace weir::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class LogWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string path(const char* name = "calls.log") const { return (folder / name).string(); }
  static std::vector<std::string> lines_of(const std::string& file) {
    std::vector<std::string> lines;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  static LogBuffer buffer(std::string_view text, std::uint64_t lines = 1) {
    LogBuffer made;
    made.bytes.reset(new char[LogBuffer::capacity]);
    std::memcpy(made.bytes.get(), text.data(), text.size());
    made.used = text.size();
    made.lines = lines;
    return made;
  }
  static bool wait_for(const auto& condition) {
    for (int i = 0; i < 6'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  std::filesystem::path folder;
};

TEST_F(LogWriterTest, AFileThatCannotBeWrittenNamesTheSetting) {
  auto opened = LogWriter::open("/nowhere/at/all.log");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("log.to"));
  EXPECT_THAT(opened.error().message, HasSubstr("/nowhere/at/all.log"));
  EXPECT_THAT(opened.error().message, HasSubstr("No such file"));
}

TEST_F(LogWriterTest, AppendsToAFileThatOthersMayNotRead) {
  std::ofstream{path()} << "before\n";
  (*LogWriter::open(path()))->exchange(buffer("after\n"));
  EXPECT_EQ(lines_of(path()), (std::vector<std::string>{"before", "after"}));
  (*LogWriter::open(path("new.log")))->exchange(buffer("x\n"));
  struct stat info{};
  ASSERT_EQ(::stat(path("new.log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007, 0U);
}

TEST_F(LogWriterTest, LosesNothingAtTheEndThoughManyWorkersWrite) {
  constexpr std::size_t workers = 4;
  constexpr int calls =
      2'000;  // all of them wait within LogWriter::waiting_bytes_max, should the writer get no processor
  auto telemetry = *Telemetry::open({.to = path()}, {}, workers, nullptr);
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < workers; ++w) {
    threads.emplace_back([&, w] {
      BookedCall call;
      for (int i = 0; i < calls; ++i) {
        const std::string id = std::to_string(w) + "-" + std::to_string(i);
        call.exchange.request_id = id;
        telemetry->worker(w).call_started();
        telemetry->worker(w).call_ended(call.exchange);
        if (i % 50 == 0) telemetry->worker(w).tick();
      }
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_THAT(telemetry->metrics_text(), HasSubstr("weir_requests_total"));
  for (std::thread& thread : threads) thread.join();
  telemetry->stop();
  std::set<std::string> ids;
  for (const std::string& line : lines_of(path())) {
    ids.insert(nlohmann::json::parse(line)["request_id"].get<std::string>());
  }
  EXPECT_EQ(ids.size(), workers * calls);
  EXPECT_EQ(lines_of(path()).size(), workers * calls);
  EXPECT_THAT(telemetry->metrics_text(), HasSubstr("weir_log_lines_dropped_total 0\n"));
}

TEST_F(LogWriterTest, FollowsARotation) {
  auto writer = *LogWriter::open(path());
  writer->exchange(buffer("one\n"));
  ASSERT_TRUE(wait_for([&] { return lines_of(path()).size() == 1; }));
  std::filesystem::rename(path(), path("calls.log.1"));
  ASSERT_TRUE(writer->reopen(path()));
  writer->exchange(buffer("two\n"));
  writer->stop();
  EXPECT_EQ(lines_of(path("calls.log.1")), std::vector<std::string>{"one"});
  EXPECT_EQ(lines_of(path()), std::vector<std::string>{"two"});
}

TEST_F(LogWriterTest, AFailedReopenKeepsTheOldFile) {
  auto writer = *LogWriter::open(path());
  EXPECT_FALSE(writer->reopen("/nowhere/at/all.log"));
  writer->exchange(buffer("still here\n"));
  writer->stop();
  EXPECT_EQ(lines_of(path()).size(), 1U);
}

TEST_F(LogWriterTest, AFullDiskIsCountedAndSaidOnce) {
  testing::internal::CaptureStderr();
  auto writer = *LogWriter::open("/dev/full");
  for (std::uint64_t i = 1; i <= 3; ++i) {
    writer->exchange(buffer("line\nline\n", 2));
    ASSERT_TRUE(wait_for([&] { return writer->write_errors().load() == i; }));
  }
  writer->stop();
  EXPECT_EQ(writer->lines_dropped().load(), 6U);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("log.to: cannot write to /dev/full: No space left on device"));
  EXPECT_EQ(said.find("cannot write"), said.rfind("cannot write"));
}

TEST_F(LogWriterTest, AReaderThatStandsStillCostsLinesNotMemory) {
  const std::string fifo = path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  auto writer = *LogWriter::open(fifo);
  const std::string block = std::string(LogBuffer::capacity - 1, 'x') + "\n";
  constexpr int handed = 100;
  for (int i = 0; i < handed; ++i) writer->exchange(buffer(block));
  EXPECT_EQ(writer->lines_dropped().load(), handed - LogWriter::waiting_bytes_max / LogBuffer::capacity);
  std::size_t read_bytes = 0;
  std::thread drain{[&] {
    std::vector<char> memory(1U << 16);
    while (true) {
      const ssize_t got = ::read(reader, memory.data(), memory.size());
      if (got == 0) break;  // the writer has closed
      if (got > 0) {
        read_bytes += static_cast<std::size_t>(got);
      } else {
        std::this_thread::sleep_for(1ms);
      }
    }
  }};
  writer.reset();
  drain.join();
  ::close(reader);
  EXPECT_EQ(read_bytes, LogWriter::waiting_bytes_max) << "what was taken was written";
}

TEST_F(LogWriterTest, OffWritesNothingAndCanBeTurnedOn) {
  auto telemetry = *Telemetry::open({.to = "off"}, {}, 1, nullptr);
  BookedCall call;
  telemetry->worker(0).call_ended(call.exchange);
  ASSERT_TRUE(telemetry->reopen_log(path()));
  telemetry->worker(0).call_ended(call.exchange);
  telemetry->worker(0).refused(Failure::client_too_large, 431);
  telemetry->stop();
  const auto lines = lines_of(path());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(lines[1])["event"], "refused");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["status"], 431);
}

}  // namespace
}  // namespace weir::telemetry
