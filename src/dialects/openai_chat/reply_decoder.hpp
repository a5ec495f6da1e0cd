#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_chat {

/// Reads a whole chat completion. Its views point into `body`.
std::expected<vocabulary::ChatReply, std::string> decode_reply(std::string_view body,
                                                               const vocabulary::ReplyHints& hints);

/// Reads a `usage` object or null into a report; `into.usage.reported` where it counts anything.
bool read_usage_report(json::Cursor& cursor, std::string_view body, vocabulary::UsageReport& into);

vocabulary::Finish finish_of(const vocabulary::Text& reason);
std::string_view name_of(vocabulary::Finish finish);

}  // namespace weir::openai_chat
