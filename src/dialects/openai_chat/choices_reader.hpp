#pragma once
#include <cstddef>
#include <string_view>

#include "dialects/json/cursor.hpp"

namespace weir::openai_chat {

/// What the `choices` of a reply or of one chunk of it say.
struct Generated {
  std::size_t choices = 0;
  bool content = false;            ///< RULINGS 13: text, refusal, reasoning, a tool call or audio that is not empty
  std::string_view finish_reason;  ///< of the last choice that has one, as written; empty = none
  std::size_t text_bytes = 0;      ///< generated text as it is written in JSON, near enough to estimate tokens from
};

/// Adds to `into`. False: not JSON. Requires: the cursor is before the value of `choices`.
bool read_choices(json::Cursor& cursor, Generated& into);

}  // namespace weir::openai_chat
