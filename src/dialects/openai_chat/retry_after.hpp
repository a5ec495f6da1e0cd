#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::openai_chat {

/// Where a provider may have said when to come back (SEMANTICS 8). Views; empty = it did not.
struct RetryHints {
  std::string_view retry_after_ms;  ///< header retry-after-ms
  std::string_view retry_after;     ///< header retry-after: seconds, also with a fraction, or an HTTP date
  std::string_view body;            ///< Google's "retryDelay": "20s", or words: "try again in 1m20.5s"
  std::int64_t now_unix_ms = 0;     ///< a date is counted from it
};

/// How long to wait; nullopt = not said. The first of the four forms that can be read counts. A date in the past is 0.
std::optional<std::chrono::milliseconds> read_retry_after(const RetryHints& hints);

}  // namespace weir::openai_chat
