#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include <weir/exchange/usage.hpp>

#include "dialects/vocabulary/content.hpp"

namespace weir::vocabulary {

enum class Finish : std::uint8_t { unset, stop, length, tool_calls, content_filter, refusal, pause, stop_sequence };

/// Parts of `Usage` that some dialects tell apart. 0 = not said.
struct UsageDetails {
  std::int64_t cache_write_1h = 0;  ///< the part of cache_write that is kept for an hour
  std::int64_t audio_input = 0;
  std::int64_t audio_output = 0;
  std::int64_t accepted_prediction = 0;
  std::int64_t rejected_prediction = 0;
};
struct UsageReport {
  Usage usage;
  UsageDetails details;
};

struct Choice {
  std::uint32_t index = 0;
  std::vector<Part> parts;  ///< TextPart, ToolCallPart, ThinkingPart, RedactedThinkingPart, RefusalPart, ImagePart
  Finish finish = Finish::unset;
  Text stop_sequence;         ///< which one, where the provider says
  std::string_view logprobs;  ///< OpenAI's object as written; empty = none
};

/// Lifetime: views point into the reply's body.
struct ChatReply {
  Text id;
  Text model;
  std::int64_t created = 0;  ///< seconds since 1970; 0 = not said
  std::vector<Choice> choices;
  UsageReport usage;
  Text service_tier;
  Text system_fingerprint;
  bool error = false;  ///< an error object inside a 200: decode_error() reads the body
};

}  // namespace weir::vocabulary
