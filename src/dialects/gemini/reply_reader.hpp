#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/vocabulary/codec.hpp"

namespace weir::gemini {

inline constexpr std::uint32_t kCandidatesMax = 128;  // Gemini gives 8; what is kept per candidate stays small

struct Candidate {
  std::uint32_t index = 0;
  std::vector<vocabulary::Part> parts;  ///< TextPart, ThinkingPart, ToolCallPart, ImagePart
  std::vector<vocabulary::Citation> citations;
  vocabulary::Text finish_reason;  ///< empty while it goes on
};

/// One GenerateContentResponse: a whole reply, or one event of a stream. Views point into its bytes.
struct Answer {
  vocabulary::Text id;
  vocabulary::Text model;
  std::vector<Candidate> candidates;
  bool blocked = false;  ///< promptFeedback: the prompt itself was refused
  bool is_error = false;
  bool known = false;  ///< it has any field of an answer
  vocabulary::UsageReport usage;
};

/// False, with what is wrong in `problem`, if `bytes` is not such an object in UTF-8.
bool read_answer(std::string_view bytes, Answer& into, std::string& problem);

/// What an ending means. An error text where the model broke off over its own malformed call; SEMANTICS 7: a stop with
/// calls is tool_calls.
std::expected<vocabulary::Finish, std::string> finish_of(const vocabulary::Text& reason, bool has_calls);

std::expected<vocabulary::ChatReply, std::string> decode_reply(std::string_view body,
                                                               const vocabulary::ReplyHints& hints);

}  // namespace weir::gemini
