#pragma once
#include <cstdint>
#include <string_view>

#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

/// Where in a body the parts stand by which a re-ask is known. Empty spans: they are not there.
struct HistoryEnd {
  Span before;       ///< all messages but the last two, from the first one's first byte
  Span answer;       ///< the last but one
  Span last;         ///< the last one
  Span format;       ///< the value of response_format, or of Responses' text
  Span tool_choice;  ///< the value
};

/// Whether a call looks like the one before it, asked again because of its answer's form (SEMANTICS 41): a history of
/// at least three messages that ends with an answer and a complaint about it, where the answer begins as JSON does, or
/// the call asks for JSON or forces a tool. Then the hash that the call before had as prompt_hash if it is so, else 0.
/// Whether there was such a call the caller must know.
///
/// It looks at a few bytes of most histories, at most 4 KiB of those with an answer in JSON, and hashes only what looks
/// like a re-ask.
std::uint64_t reask_of(std::string_view body, const HistoryEnd& end);

/// Whether a text (as it stands in JSON) says that something could not be parsed or validated, by the phrases in
/// docs/failures.md.
bool complains_of_form(std::string_view text);

}  // namespace weir::openai_chat
