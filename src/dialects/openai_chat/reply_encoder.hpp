#pragma once
#include <string>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_chat {

/// Appends a chat completion.
void encode_reply(const vocabulary::ChatReply& reply, const vocabulary::ReplyContext& context, std::string& to);

/// The value of `usage`.
void encode_usage(vocabulary::Writer& out, const vocabulary::UsageReport& report);
/// One element of `annotations`.
void encode_annotation(vocabulary::Writer& out, const vocabulary::Citation& citation);

}  // namespace weir::openai_chat
