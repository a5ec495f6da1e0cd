#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/core.h>

/// What the daemon says of itself (start, reload, warnings): one line per message on stderr. Calls are not logged here;
/// telemetry writes a line for each.
///
/// Thread: any. Never blocks while a Session lives: when the queue is full its oldest message goes.
namespace weir::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

/// While it lives, messages are written by a thread of its own; what was said is flushed when it ends. Without one
/// (commands, tests) each message is written at once.
/// Lifetime: one at a time; outlives every thread that speaks.
class Session {
 public:
  Session(Level level, Format format);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  struct Writer;
  std::unique_ptr<Writer> writer_;
};

void set_level(Level level);  ///< default: info
bool says(Level level);

/// Control characters in `message` come out escaped, so that one message is one line.
void write(Level level, std::string_view message);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (says(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (says(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (says(Level::warning)) write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (says(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace weir::log
