#pragma once
#include <memory>

#include "dialects/bedrock/event_stream.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::bedrock {

/// What the decoder is fed as `event`: the type of an event, an exception or an error ("messageStart",
/// "throttlingException"); empty if the message has none of them.
std::string_view event_name(const EventMessage& message);

/// ConverseStream. complete() is true from messageStop on, but the usage comes behind it: read until the connection's
/// end.
std::unique_ptr<vocabulary::StreamDecoder> make_stream_decoder(const vocabulary::ReplyHints& hints);

}  // namespace weir::bedrock
