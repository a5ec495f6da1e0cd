#pragma once
#include <string>
#include <string_view>

namespace weir::openai_chat {

/// A provider's text as it may be shown to a client and written to the log: without what looks like a secret (keys by
/// their prefixes, what follows Bearer or a key's name, long random-looking runs, userinfo in addresses), at most
/// limits::provider_message_bytes_max bytes, cut between characters. Names of models and ids of requests stay.
std::string redact(std::string_view text);

}  // namespace weir::openai_chat
