#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/codec.hpp"
#include "fuzz/require.hpp"

namespace weir::fuzz {

inline void require_json(std::string_view text) {
  require(!json::valid_utf8(text) || nlohmann::json::accept(text), "what is written is JSON");
}

/// Whatever decodes encodes to JSON or is refused with a message, for a target that can do little and one that can
/// much.
inline void request_to(const vocabulary::Codec& from, const std::vector<const vocabulary::Codec*>& targets,
                       std::string_view body) {
  const auto request = from.decode_request(body);
  if (!request) return require(!request.error().message.empty(), "a refusal says why");
  for (const bool able : {false, true}) {
    const vocabulary::TargetTraits traits{.model = "m",
                                          .max_output_tokens = able ? 0 : 2000,
                                          .image_urls = able,
                                          .native_schema = able,
                                          .reasoning = true,
                                          .reasoning_content = able,
                                          .adaptive_thinking = able};
    for (const vocabulary::Codec* to : targets) {
      vocabulary::Dropped dropped;
      const auto encoded = to->encode_request(*request, traits, dropped);
      if (encoded) {
        require_json(encoded->body);
      } else {
        require(!encoded.error().message.empty(), "a refusal says why");
      }
    }
  }
}

inline void reply_to(const vocabulary::Codec& from, const std::vector<const vocabulary::Codec*>& targets,
                     std::string_view body) {
  for (const char* schema_tool : {"", "f"}) {
    const auto reply = from.decode_reply(body, {.schema_tool = schema_tool});
    if (!reply) {
      require(!reply.error().empty(), "an error says why");
      continue;
    }
    require(usage_holds(reply->usage.usage), "usage_holds");
    for (const vocabulary::Codec* to : targets) {
      std::string out;
      to->encode_reply(*reply, {.call_id = "c", .model = "m"}, out);
      require_json(out);
    }
  }
}

/// Each line of `input` is the data of one event. What comes out is whole events of JSON, at most one error, and
/// nothing after it.
inline void stream_to(const vocabulary::Codec& from, const std::vector<const vocabulary::Codec*>& targets,
                      std::string_view input) {
  for (const vocabulary::Codec* to : targets) {
    const auto decoder = from.make_stream_decoder({.schema_tool = "g"});
    const auto encoder = to->make_stream_encoder({.call_id = "c", .model = "m", .include_usage = true});
    std::string out;
    std::vector<vocabulary::StreamEvent> events;
    bool failed = false;
    const auto pass_on = [&] {
      for (const auto& event : events) {
        require(!failed, "nothing comes after an error");
        failed = std::holds_alternative<vocabulary::StreamError>(event);
        encoder->encode(event, out);
      }
      events.clear();
    };
    std::string_view rest = input;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      decoder->feed("", rest.substr(0, end), events);
      pass_on();
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    decoder->end(events);
    pass_on();
    require(out.empty() || out.ends_with("\n\n"), "events are whole");
    for (std::size_t at = 0; (at = out.find("data: ", at)) != std::string::npos;) {
      if (at != 0 && out[at - 1] != '\n') {  // inside a text
        ++at;
        continue;
      }
      const std::size_t end = out.find('\n', at);
      const std::string_view data = std::string_view{out}.substr(at + 6, end - at - 6);
      if (data != "[DONE]") require_json(data);
      at = end;
    }
  }
}

}  // namespace weir::fuzz
