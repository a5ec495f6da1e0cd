#include "api/stream_words.hpp"

#include <vector>

#include <nlohmann/json.hpp>

#include "dialects/codecs/codecs.hpp"
#include "dialects/openai_chat/error_body.hpp"
#include "dialects/vocabulary/replay.hpp"

namespace weir::api {
namespace {

vocabulary::ReplyContext context_of(const Exchange& exchange) {
  return {.call_id = exchange.request_id,
          .model = exchange.request.model,
          .created = exchange.started_unix_ms / 1000,
          .include_usage = exchange.request.include_usage,
          .next_event = exchange.next_event};
}

/// A chat's reply becomes one chunk; a completion's is one already.
std::string one_chunk(const Exchange& exchange, std::string_view whole) {
  auto reply = nlohmann::json::parse(whole, nullptr, false);
  if (!reply.is_object()) return {};
  const bool chat = exchange.request.dialect == Dialect::openai_chat;
  if (chat) reply["object"] = "chat.completion.chunk";
  if (auto choices = reply.find("choices"); chat && choices != reply.end() && choices->is_array()) {
    for (auto& choice : *choices) {
      if (!choice.is_object() || !choice.contains("message")) continue;
      choice["delta"] = std::move(choice["message"]);
      choice.erase("message");
      auto calls = choice["delta"].is_object() ? choice["delta"].find("tool_calls") : choice["delta"].end();
      if (calls == choice["delta"].end() || !calls->is_array()) continue;
      for (std::size_t i = 0; i < calls->size(); ++i) {
        if ((*calls)[i].is_object()) (*calls)[i]["index"] = i;
      }
    }
  }
  return "data: " + reply.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n\ndata: [DONE]\n\n";
}

}  // namespace

std::string_view keep_alive_words(Dialect dialect) {
  if (dialect == Dialect::anthropic) return "event: ping\ndata: {\"type\": \"ping\"}\n\n";
  return ": keep-alive\n\n";
}

std::string error_words(const Exchange& exchange, const Ending& ending) {
  const FailureRow& row = row_of(ending.failure);
  const Dialect dialect = exchange.request.dialect;
  if (dialect == Dialect::openai_chat || dialect == Dialect::openai_completions) {
    return "data: " + openai_chat::encode_error(ending.message, row.type, ending.param, row.name) + "\n\n";
  }
  std::string words;
  const auto encoder = dialects::codec_of(dialect).make_stream_encoder(context_of(exchange));
  encoder->encode(vocabulary::StreamError{.failure = ending.failure,
                                          .status = ending.status,
                                          .message = ending.message,
                                          .code = ending.code.empty() ? std::string(row.name) : ending.code},
                  words);
  return words;
}

std::string stream_of(const Exchange& exchange, std::string_view whole) {
  const vocabulary::Codec& codec = dialects::codec_of(exchange.request.dialect);
  if (exchange.request.dialect == Dialect::openai_chat || codec.decode_reply == nullptr) {
    return one_chunk(exchange, whole);
  }
  const auto reply = codec.decode_reply(whole, {});
  if (!reply) return {};
  std::vector<vocabulary::StreamEvent> events;
  vocabulary::replay(*reply, events);
  std::string words;
  const auto encoder = codec.make_stream_encoder(context_of(exchange));
  for (const vocabulary::StreamEvent& event : events) encoder->encode(event, words);
  return words;
}

}  // namespace weir::api
