#pragma once
#include "dialects/vocabulary/codec.hpp"

namespace weir::bedrock {

/// Amazon Bedrock's Converse and ConverseStream, as an upstream. A stream is application/vnd.amazon.eventstream:
/// event_stream.hpp takes it apart, and the decoder is fed event_name() and the payload of each message.
const vocabulary::Codec& codec();

}  // namespace weir::bedrock
