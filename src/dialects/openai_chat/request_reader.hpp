#pragma once
#include <cstddef>
#include <expected>
#include <string_view>

#include "dialects/openai_chat/body_shape.hpp"
#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

/// Reads a chat request body, or that of another dialect by its shape, of any size up to 4 GiB. What passes is JSON as
/// a whole, by the cursor's rules and in UTF-8. A key that weir acts on and that stands twice, or could be read by
/// another reader as one of ours, is refused: what weir decides on must be what the provider reads.
///
/// A pure function that makes no tree and takes no memory that grows with the body. Above
/// limits::read_at_once_bytes_max it belongs on a pool thread: 32 MiB take tens of milliseconds.
std::expected<ChatFacts, Refusal> read_request(std::string_view body, const BodyShape& shape = chat_shape());

}  // namespace weir::openai_chat
