#pragma once
#include <cstdint>
#include <string_view>
#include <variant>

#include <weir/exchange/failure.hpp>

#include "dialects/vocabulary/reply.hpp"

namespace weir::vocabulary {

// What one event of a stream says. Texts are views into the event that was fed: use them before the next is fed.

/// At most once, first. Usage so far: the prompt's, where the provider says it at the start.
struct StreamStart {
  Text id;
  Text model;
  std::int64_t created = 0;
  UsageReport usage;
};
struct TextDelta {
  std::uint32_t choice = 0;
  Text text;
};
struct ThinkingDelta {
  std::uint32_t choice = 0;
  Text text;
};
/// Ends the thinking before it.
struct SignatureDelta {
  std::uint32_t choice = 0;
  Text signature;
};
struct RedactedThinking {
  std::uint32_t choice = 0;
  Text data;
};
struct RefusalDelta {
  std::uint32_t choice = 0;
  Text text;
};
/// `index` counts the tool calls of one choice from 0 in the order they began; id and name come only here.
struct ToolCallStart {
  std::uint32_t choice = 0;
  std::uint32_t index = 0;
  Text id;
  Text name;
  Text signature;
};
/// A piece of the arguments' JSON text; calls may interleave by `index`.
struct ToolArgumentsDelta {
  std::uint32_t choice = 0;
  std::uint32_t index = 0;
  Text fragment;
};
struct CitationDelta {
  std::uint32_t choice = 0;
  Citation citation;
};
struct LogprobsDelta {
  std::uint32_t choice = 0;
  std::string_view raw;  ///< OpenAI's object as written
};
/// A block of text, thinking or tool call is whole. Optional: encoders close blocks by themselves when the kind
/// changes.
struct BlockFinish {
  std::uint32_t choice = 0;
};
struct ChoiceFinish {
  std::uint32_t choice = 0;
  Finish reason = Finish::stop;
  Text stop_sequence;
};
/// Cumulative: the latest replaces what was said before.
struct UsageSnapshot {
  UsageReport report;
};
struct Ping {};
/// The provider's error after its 200, or data that is not what it should be. Nothing comes after it.
struct StreamError {
  Failure failure = Failure::upstream_error;
  std::uint16_t status = 0;  ///< the client's status where the failure's row has none
  std::string message;       ///< redacted
  std::string code;
};
struct Done {};

using StreamEvent = std::variant<StreamStart, TextDelta, ThinkingDelta, SignatureDelta, RedactedThinking, RefusalDelta,
                                 ToolCallStart, ToolArgumentsDelta, CitationDelta, LogprobsDelta, BlockFinish,
                                 ChoiceFinish, UsageSnapshot, Ping, StreamError, Done>;

}  // namespace weir::vocabulary
