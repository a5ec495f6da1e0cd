#pragma once
#include "net/next_byte.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::net {

/// Splits a stream of server-sent events (WHATWG HTML, section 9.2) into raw events, for a relay that passes on whole
/// ones and holds back the rest. Lines end with LF, CR or CR LF in any mixture. Every byte is part of exactly one event
/// or of what at_end() returns, so a relay loses and adds nothing.
///
/// The caller keeps one contiguous buffer: it passes the same bytes again, grown by what was read, until an event comes
/// out, and then drops that event's bytes from the front. The buffer may move. Nothing is looked at twice, however
/// small the reads are. There is no limit on the length of an event: the caller bounds its buffer.
class SseScanner {
 public:
  /// The next event with its blank line, a view into `unconsumed`; nothing while it is not whole. An event that ends
  /// with a CR at the end of the buffer is given out at once; an LF that follows later begins the next raw event, and
  /// does not end it.
  std::optional<std::string_view> next(std::string_view unconsumed);

  /// What is left when the connection ended: an event without its blank line, or nothing.
  std::string_view at_end(std::string_view unconsumed) const { return unconsumed; }

  void reset() { *this = {}; }

 private:
  NextByte line_feed_{'\n'};
  NextByte carriage_return_{'\r'};
  std::size_t line_begin_ = 0;
  bool line_feed_may_follow_ = false;  // the event before ended with a CR at the end of the buffer
};

/// What one raw event says.
struct SseFields {
  std::string_view event;     ///< empty if not given; clients then take "message"
  std::string_view data;      ///< a view into the raw event, or into `scratch` if there were several data lines
  bool comment_only = false;  ///< no `data` and no `event`: a keep-alive, an id, blank lines
};

/// Parses a raw event with or without its blank line, and with a byte order mark before it. Several data lines are
/// joined with LF in `scratch`, whose memory is reused from call to call.
SseFields parse_sse_event(std::string_view raw, std::string& scratch);

}  // namespace weir::net
