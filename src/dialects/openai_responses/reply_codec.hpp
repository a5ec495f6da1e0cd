#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_responses {

/// Reads a whole response. Its views point into `body`.
std::expected<vocabulary::ChatReply, std::string> decode_reply(std::string_view body,
                                                               const vocabulary::ReplyHints& hints);
/// Appends a response: the first choice of the reply.
void encode_reply(const vocabulary::ChatReply& reply, const vocabulary::ReplyContext& context, std::string& to);

/// What the response object says besides its output.
struct ResponseHead {
  std::string_view id;
  std::string_view model;
  std::int64_t created = 0;
  std::string_view status;      ///< in_progress, completed, incomplete
  std::string_view incomplete;  ///< the reason; empty = null
};
/// A whole response object with `output` (items, comma-separated) and usage where it is reported.
void encode_response(vocabulary::Writer& out, const ResponseHead& head, std::string_view output,
                     const vocabulary::UsageReport& usage);
/// incomplete_details.reason; empty where the response is completed.
std::string_view incomplete_reason(vocabulary::Finish finish);

}  // namespace weir::openai_responses
