#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace weir::openai_chat {

/// Mends what models often wrap around or leave in JSON: a code fence, prose before and after, commas before a closing
/// bracket. Guesses nothing else. nullopt = it is JSON as it is, or cannot be mended so.
std::optional<std::string> repair_json(std::string_view text);

/// Whether a chat request asks for JSON (response_format of type json_object or json_schema).
bool asks_for_json(std::string_view request_body);

/// A whole chat reply with the content of its messages mended; all other bytes stay. nullopt = nothing was mended.
std::optional<std::string> repair_reply(std::string_view reply_body);

}  // namespace weir::openai_chat
