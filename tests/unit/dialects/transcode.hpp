#pragma once
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dialects/vocabulary/codec.hpp"

namespace weir::test {

/// One event off the wire: its name and its data.
using WireEvent = std::pair<std::string, std::string>;

inline const vocabulary::ReplyContext kContext{
    .call_id = "call-1", .model = "asked-model", .created = 1700000000, .include_usage = true};

/// A provider's stream in the client's dialect, as bytes.
inline std::string transcode(const vocabulary::Codec& from, const vocabulary::Codec& to,
                             const std::vector<WireEvent>& events, const vocabulary::ReplyHints& hints = {},
                             const vocabulary::ReplyContext& context = kContext) {
  const auto decoder = from.make_stream_decoder(hints);
  const auto encoder = to.make_stream_encoder(context);
  std::string out;
  std::vector<vocabulary::StreamEvent> read;
  for (const auto& [name, data] : events) {
    read.clear();
    decoder->feed(name, data, read);
    for (const auto& event : read) encoder->encode(event, out);
  }
  read.clear();
  decoder->end(read);
  for (const auto& event : read) encoder->encode(event, out);
  return out;
}

/// The data of each event of a stream of bytes; `: comments` are left out.
inline std::vector<std::string> data_of(std::string_view stream) {
  std::vector<std::string> found;
  while (!stream.empty()) {
    const std::size_t end = stream.find('\n');
    std::string_view line = stream.substr(0, end);
    stream.remove_prefix(end == std::string_view::npos ? stream.size() : end + 1);
    if (line.starts_with("data: ")) found.emplace_back(line.substr(6));
  }
  return found;
}

inline std::vector<nlohmann::json> json_of(std::string_view stream) {
  std::vector<nlohmann::json> found;
  for (const std::string& data : data_of(stream)) {
    if (data != "[DONE]") found.push_back(nlohmann::json::parse(data));
  }
  return found;
}

/// Encodes a request of `from` for `to` and parses the body.
struct Translated {
  nlohmann::json body;
  vocabulary::EncodedRequest encoded;
  vocabulary::Dropped dropped;
  std::string refused;  ///< not empty: the message of the refusal
  std::string param;
};
inline Translated translate(const vocabulary::Codec& from, const vocabulary::Codec& to, const std::string& body,
                            const vocabulary::TargetTraits& target) {
  Translated result;
  const auto request = from.decode_request(body);
  if (!request) {
    result.refused = "decode: " + request.error().message;
    result.param = request.error().param;
    return result;
  }
  auto encoded = to.encode_request(*request, target, result.dropped);
  if (!encoded) {
    result.refused = encoded.error().message;
    result.param = encoded.error().param;
    return result;
  }
  result.encoded = std::move(*encoded);
  result.body = nlohmann::json::parse(result.encoded.body);
  return result;
}

inline nlohmann::json reply_in(const vocabulary::Codec& from, const vocabulary::Codec& to, const std::string& body,
                               const vocabulary::ReplyHints& hints = {}) {
  const auto reply = from.decode_reply(body, hints);
  if (!reply) return {{"refused", reply.error()}};
  std::string out;
  to.encode_reply(*reply, kContext, out);
  return nlohmann::json::parse(out);
}

}  // namespace weir::test
