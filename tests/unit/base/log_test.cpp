#include <weir/base/log.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace weir {
namespace {

std::vector<std::string> said(const auto& speak) {
  testing::internal::CaptureStderr();
  speak();
  const std::string all = testing::internal::GetCapturedStderr();
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = all.find('\n', at);
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(Log, WritesAtOnceWithoutASession) {
  const auto lines = said([] { log::info("listening on {}:{}", "127.0.0.1", 8080); });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with(" info listening on 127.0.0.1:8080")) << lines[0];
}

TEST(Log, OneMessageIsOneLine) {
  const auto lines = said([] { log::warning("provider said \"{}\"", "no\nERROR forged"); });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with("warning provider said \"no\\u000aERROR forged\"")) << lines[0];
}

TEST(Log, SaysOnlyWhatTheLevelAllows) {
  log::set_level(log::Level::warning);
  const auto lines = said([] {
    log::info("no");
    log::error("yes");
  });
  log::set_level(log::Level::info);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].ends_with(" error yes"));
}

TEST(Log, ASessionFlushesWhatManyThreadsSaid) {
  const auto lines = said([] {
    log::Session session{log::Level::info, log::Format::json};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([i] {
        for (int n = 0; n < 100; ++n) log::info("thread {} message {}", i, n);
      });
    }
  });
  ASSERT_EQ(lines.size(), 400U);
  for (const std::string& line : lines) {
    EXPECT_TRUE(line.starts_with(R"({"time":"2)")) << line;
    EXPECT_NE(line.find(R"("event":"daemon","level":"info","message":"thread )"), std::string::npos) << line;
    EXPECT_TRUE(line.ends_with("\"}"));
  }
}

}  // namespace
}  // namespace weir
