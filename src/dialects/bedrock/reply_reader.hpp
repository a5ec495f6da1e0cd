#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::bedrock {

std::expected<vocabulary::ChatReply, std::string> decode_reply(std::string_view body,
                                                               const vocabulary::ReplyHints& hints);

/// What a stopReason means; an error text where the model broke off over its own malformed output. `has_calls`: the
/// answer has calls for the caller; the forced tool of a JSON schema is none.
std::expected<vocabulary::Finish, std::string> finish_of(const vocabulary::Text& reason, bool has_calls);

/// The `usage` object. False: not JSON, or not an object.
bool read_usage(json::Cursor& cursor, vocabulary::UsageReport& into);

}  // namespace weir::bedrock
