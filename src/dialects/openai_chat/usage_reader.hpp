#pragma once
#include <weir/exchange/usage.hpp>

#include "dialects/json/cursor.hpp"

namespace weir::openai_chat {

/// Reads the `usage` object of an OpenAI reply, with the names that compatible servers use for caches. usage_holds() is
/// true of the result; it is `reported` only if the object counts tokens at all and the counts can be meant.
///
/// Where `total_tokens` is above prompt and completion, the difference is reasoning that the completion leaves out
/// (xAI, Gemini's compatible endpoint) and is billed as output.
///
/// Requires: peek() is '{'. False: not JSON. Afterwards offset() - 1 is the closing brace.
bool read_usage(json::Cursor& cursor, Usage& into);

}  // namespace weir::openai_chat
