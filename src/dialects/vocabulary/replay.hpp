#pragma once
#include <vector>

#include "dialects/vocabulary/reply.hpp"
#include "dialects/vocabulary/stream_event.hpp"

namespace weir::vocabulary {

/// A whole reply as the events of a stream: for a server that answers JSON to a request for a stream (SEMANTICS 32),
/// and for an answer that is kept. Appends; texts are views into the reply's.
void replay(const ChatReply& reply, std::vector<StreamEvent>& into);

}  // namespace weir::vocabulary
