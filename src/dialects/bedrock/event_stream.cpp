#include "dialects/bedrock/event_stream.hpp"

#include <array>

namespace weir::bedrock {
namespace {

constexpr std::size_t kPreludeBytes = 12;  // whole length, length of headers, checksum of these eight bytes
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kMessageBytesMin = kPreludeBytes + kChecksumBytes;

constexpr auto kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1U) != 0 ? 0xEDB8'8320U ^ (rest >> 1) : rest >> 1;
    table[byte] = rest;
  }
  return table;
}();

/// Requires: `bytes` holds four from `at` on.
std::uint32_t big_endian_32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Bytes of the value behind name and type; nothing where a length of two bytes stands before it.
std::optional<std::size_t> fixed_size(EventHeaderType type) {
  switch (type) {
    case EventHeaderType::bool_true:
    case EventHeaderType::bool_false:
      return 0;
    case EventHeaderType::byte:
      return 1;
    case EventHeaderType::int16:
      return 2;
    case EventHeaderType::int32:
      return 4;
    case EventHeaderType::int64:
    case EventHeaderType::timestamp:
      return 8;
    case EventHeaderType::uuid:
      return 16;
    default:
      return std::nullopt;
  }
}

/// Takes one header off the front; nothing if it is none.
std::optional<EventHeader> take_header(std::string_view& rest) {
  const auto take = [&rest](std::size_t bytes) -> std::optional<std::string_view> {
    if (rest.size() < bytes) return std::nullopt;
    const auto taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  };
  const auto name_size = take(1);
  if (!name_size || name_size->front() == '\0') return std::nullopt;
  const auto name = take(static_cast<unsigned char>(name_size->front()));
  const auto type = take(1);
  if (!name || !type) return std::nullopt;
  EventHeader header{.name = *name, .type = static_cast<EventHeaderType>(type->front()), .value = {}};
  if (header.type >= EventHeaderType::count_) return std::nullopt;
  auto size = fixed_size(header.type);
  if (!size) {
    const auto length = take(2);
    if (!length) return std::nullopt;
    size = static_cast<std::size_t>(static_cast<unsigned char>((*length)[0]) << 8 |
                                    static_cast<unsigned char>((*length)[1]));
  }
  const auto value = take(*size);
  if (!value) return std::nullopt;
  header.value = *value;
  return header;
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t sum = 0xFFFF'FFFFU;
  for (const char c : bytes) sum = kCrcTable[(sum ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (sum >> 8);
  return ~sum;
}

Result<std::optional<EventMessage>> next_event_message(std::string_view unconsumed) {
  if (unconsumed.size() < kPreludeBytes) return std::nullopt;
  const std::size_t size = big_endian_32(unconsumed, 0);
  const std::size_t header_size = big_endian_32(unconsumed, 4);
  if (crc32(unconsumed.substr(0, 8)) != big_endian_32(unconsumed, 8)) {
    return failure("the checksum of an event's lengths does not hold");
  }
  if (size > kEventMessageBytesMax) return failure("an event is larger than 4 MiB");
  if (size < kMessageBytesMin || header_size > size - kMessageBytesMin || header_size > kEventHeaderBytesMax) {
    return failure("an event's lengths contradict each other");
  }
  if (unconsumed.size() < size) return std::nullopt;
  EventMessage message;
  message.raw = unconsumed.substr(0, size);
  if (crc32(message.raw.substr(0, size - kChecksumBytes)) != big_endian_32(message.raw, size - kChecksumBytes)) {
    return failure("the checksum of an event does not hold");
  }
  message.headers = message.raw.substr(kPreludeBytes, header_size);
  message.payload = message.raw.substr(kPreludeBytes + header_size, size - kMessageBytesMin - header_size);
  for (auto rest = message.headers; !rest.empty();) {
    if (!take_header(rest)) return failure("a header of an event is malformed");
  }
  return message;
}

std::optional<EventHeader> find_event_header(std::string_view headers, std::string_view name) {
  while (!headers.empty()) {
    const auto header = take_header(headers);
    if (!header) break;
    if (header->name == name) return header;
  }
  return std::nullopt;
}

std::string_view event_header_text(std::string_view headers, std::string_view name) {
  const auto header = find_event_header(headers, name);
  return header && header->type == EventHeaderType::string ? header->value : std::string_view{};
}

}  // namespace weir::bedrock
