#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::anthropic {

/// Reads a whole message. Its views point into `body`.
std::expected<vocabulary::ChatReply, std::string> decode_reply(std::string_view body,
                                                               const vocabulary::ReplyHints& hints);

/// Appends a message: the first choice of the reply. Arguments of a tool call that are no JSON object, as where a model
/// was cut off, come as {"invalid_json": "…"}.
void encode_reply(const vocabulary::ChatReply& reply, const vocabulary::ReplyContext& context, std::string& to);

/// `message` of message_start and the reply differ in what is known: the parts up to the content.
void encode_message_head(vocabulary::Writer& out, const vocabulary::Text& id, const vocabulary::Text& model,
                         std::string_view other_id, std::string_view other_model);
/// One citation: as the provider wrote it where it was Anthropic's, otherwise of a page.
void encode_citation(vocabulary::Writer& out, const vocabulary::Citation& citation);

/// Anthropic's error body (SEMANTICS 11).
std::string encode_error(std::string_view message, int status, std::string_view request_id);

}  // namespace weir::anthropic
