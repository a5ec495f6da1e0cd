#include <weir/base/log.hpp>

#include <weir/base/clock.hpp>
#include "base/json_writer.hpp"

#include <fmt/chrono.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <string>

namespace weir::log {
namespace {

constexpr std::size_t kQueueMessagesMax = 4096;  // far more than a start or a reload says
constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};
constexpr std::array kSpdlogLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};

std::atomic<Level> g_level{Level::info};
std::atomic<Format> g_format{Format::text};
std::atomic<spdlog::logger*> g_logger{nullptr};  // the living Session's

std::string now_text() {
  const std::int64_t ms = unix_milliseconds();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, ms % 1000);
}

std::string line_of(Level level, std::string_view message) {
  const std::string_view name = kLevelNames[static_cast<std::size_t>(level)];
  const std::string quoted = json_string(message);
  if (g_format.load(std::memory_order_relaxed) == Format::json) {
    return fmt::format(R"({{"time":"{}","event":"daemon","level":"{}","message":{}}})", now_text(), name, quoted);
  }
  // A text line shows quotes as they are; what remains escaped are control characters.
  std::string plain;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    plain += quoted[i];
  }
  return fmt::format("{} {} {}", now_text(), name, plain);
}

}  // namespace

struct Session::Writer {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kQueueMessagesMax, 1);
  // Shared because spdlog's queue holds the logger of each message.
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "weir", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool, spdlog::async_overflow_policy::overrun_oldest);
};

Session::Session(Level level, Format format) : writer_(std::make_unique<Writer>()) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n");
  writer_->logger->set_formatter(std::move(formatter));
  writer_->logger->set_level(spdlog::level::trace);  // says() has decided
  set_level(level);
  g_format.store(format, std::memory_order_relaxed);
  g_logger.store(writer_->logger.get(), std::memory_order_release);
}

Session::~Session() {
  g_logger.store(nullptr, std::memory_order_release);
  writer_->logger->flush();
  writer_->pool.reset();  // works its queue off and joins
}

void set_level(Level level) {
  g_level.store(level, std::memory_order_relaxed);
}

bool says(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) {
  if (!says(level)) return;
  const std::string line = line_of(level, message);
  if (spdlog::logger* logger = g_logger.load(std::memory_order_acquire); logger != nullptr) {
    logger->log(kSpdlogLevels[static_cast<std::size_t>(level)], spdlog::string_view_t{line});
    return;
  }
  fmt::print(stderr, "{}\n", line);
}

}  // namespace weir::log
