#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <weir/base/result.hpp>
#include <weir/exchange/limits.hpp>

namespace weir::bedrock {

inline constexpr std::size_t kEventMessageBytesMax = limits::sse_event_bytes_max;
inline constexpr std::size_t kEventHeaderBytesMax = 128U << 10;  // what the framing allows at most
static_assert(kEventHeaderBytesMax < kEventMessageBytesMax);

enum class EventHeaderType : std::uint8_t {
  bool_true,
  bool_false,
  byte,
  int16,
  int32,
  int64,
  bytes,
  string,
  timestamp,
  uuid,
  count_
};

struct EventHeader {
  std::string_view name;
  EventHeaderType type = EventHeaderType::bool_true;
  std::string_view value;  ///< the bytes on the wire, numbers big-endian, without a length; empty for the two bools
};

/// One message of application/vnd.amazon.eventstream. Views point into the bytes that it was read from.
struct EventMessage {
  std::string_view raw;      ///< with prelude and both checksums: what the caller drops from its buffer
  std::string_view headers;  ///< well-formed: for find_event_header()
  std::string_view payload;
};

/// The message at the front of `unconsumed`; nothing while it is not whole. An error is for good: lengths that cannot
/// be, a message past kEventMessageBytesMax, a checksum that does not hold, a header that is none.
///
/// Like net::SseScanner's, the caller keeps one contiguous buffer, passes it again as it grows, and drops `raw` from
/// its front. A length is believed only when the prelude's checksum holds, so that no rubbish makes the caller wait for
/// megabytes.
Result<std::optional<EventMessage>> next_event_message(std::string_view unconsumed);

/// The header of this name, exactly as spelt. Requires: `headers` is a message's.
std::optional<EventHeader> find_event_header(std::string_view headers, std::string_view name);

/// The value of a string header; empty where there is none or it has another type.
std::string_view event_header_text(std::string_view headers, std::string_view name);

/// CRC-32 as in zlib, over which the framing checks itself.
std::uint32_t crc32(std::string_view bytes);

}  // namespace weir::bedrock
