#pragma once
#include <memory>

#include "dialects/vocabulary/codec.hpp"

namespace weir::gemini {

/// streamGenerateContent?alt=sse: every event is a GenerateContentResponse with what is new.
std::unique_ptr<vocabulary::StreamDecoder> make_stream_decoder(const vocabulary::ReplyHints& hints);

}  // namespace weir::gemini
