#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialects/bedrock/event_stream.hpp"

namespace weir::fakes {

inline std::string big_endian_32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

inline std::string event_prelude(std::size_t size, std::size_t header_size) {
  const auto lengths =
      big_endian_32(static_cast<std::uint32_t>(size)) + big_endian_32(static_cast<std::uint32_t>(header_size));
  return lengths + big_endian_32(bedrock::crc32(lengths));
}

/// A message of application/vnd.amazon.eventstream with these bytes as its headers.
inline std::string event_message_of(std::string_view headers, std::string_view payload) {
  std::string message = event_prelude(16 + headers.size() + payload.size(), headers.size());
  message.append(headers).append(payload);
  return message + big_endian_32(bedrock::crc32(message));
}

/// With headers that are all strings.
inline std::string event_message(const std::vector<std::pair<std::string, std::string>>& headers,
                                 std::string_view payload) {
  std::string bytes;
  for (const auto& [name, value] : headers) {
    bytes.append(1, static_cast<char>(name.size())).append(name).append(1, '\7');
    bytes.append(1, static_cast<char>(value.size() >> 8)).append(1, static_cast<char>(value.size())).append(value);
  }
  return event_message_of(bytes, payload);
}

/// One event of ConverseStream.
inline std::string converse_event(const std::string& type, std::string_view payload) {
  return event_message({{":event-type", type}, {":content-type", "application/json"}, {":message-type", "event"}},
                       payload);
}

}  // namespace weir::fakes
