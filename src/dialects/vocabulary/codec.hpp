#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/exchange/ending.hpp>

#include "dialects/vocabulary/dropped.hpp"
#include "dialects/vocabulary/refusal.hpp"
#include "dialects/vocabulary/reply.hpp"
#include "dialects/vocabulary/request.hpp"
#include "dialects/vocabulary/stream_event.hpp"

namespace weir::vocabulary {

/// What the chosen target can do, from the catalogue and the provider's entry.
struct TargetTraits {
  std::string_view model;                  ///< the name that goes upstream
  std::int64_t max_output_tokens = 0;      ///< the model's limit; 0 = not known
  std::int64_t default_max_tokens = 4096;  ///< where the dialect requires a number and the caller gave none
  bool image_urls = true;                  ///< takes images by URL
  bool images = true;
  bool documents = true;
  bool tools = true;
  bool native_schema = false;          ///< Anthropic: json_schema as a request field; otherwise by a forced tool
  bool developer_role = true;          ///< OpenAI: knows `developer`; otherwise it becomes `system`
  bool max_completion_tokens = false;  ///< OpenAI: reasoning models refuse max_tokens
  bool reasoning = false;              ///< the model takes an effort or a budget
  bool reasoning_content = false;      ///< OpenAI-like: takes its own reasoning back (DeepSeek, vLLM)
  bool adaptive_thinking = false;      ///< Anthropic: newer models take {"type":"adaptive"} and an effort
};

/// What the decoder of the answer must know about the request.
struct ReplyHints {
  std::string schema_tool;  ///< the forced tool whose arguments are the caller's JSON text; empty = none
};

struct EncodedRequest {
  std::string path;   ///< below the base URL: "/messages", "/models/gemini-2.5-pro:generateContent"
  std::string query;  ///< without '?': "alt=sse"
  std::vector<std::pair<std::string, std::string>> headers;  ///< beyond those the provider always sends
  std::string body;
  ReplyHints hints;
};

/// What the client's encoder needs that the provider's answer may lack.
struct ReplyContext {
  std::string_view call_id;     ///< ours; becomes the id where the provider gave none
  std::string_view model;       ///< `model` of the answer where the provider named none
  std::int64_t created = 0;     ///< now, in seconds since 1970
  bool include_usage = false;   ///< stream: the client asked for usage (OpenAI's chat)
  std::int64_t next_event = 0;  ///< stream: events were written before, the next has this number (Responses)
};

/// Turns the events of a provider's stream into the vocabulary. Never throws; what is not what it should be becomes one
/// StreamError, after which everything is ignored. Unknown event types are counted and ignored.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  /// `event`: the SSE event's name (or ":event-type" of a binary frame), may be empty. Appends to `into`, whose texts
  /// are views into `data`.
  virtual void feed(std::string_view event, std::string_view data, std::vector<StreamEvent>& into) = 0;
  /// The answer is whole: it said how it finished. False at the connection's end means it was cut.
  virtual bool complete() const = 0;
  /// The connection has ended, or no further event is wanted: appends what was held back, the last usage and Done if
  /// complete(). Called at most once.
  virtual void end(std::vector<StreamEvent>& into) = 0;
  virtual std::uint64_t unknown_events() const = 0;
  /// The number that the stream's next event would have, in dialects that number them.
  virtual std::int64_t next_event() const { return 0; }
};

/// Writes a client's stream, whole SSE events with their blank lines.
class StreamEncoder {
 public:
  virtual ~StreamEncoder() = default;
  virtual void encode(const StreamEvent& event, std::string& to) = 0;
  /// As the decoder's.
  virtual std::int64_t next_event() const { return 0; }
};

/// One wire format. Each dialect's folder gives its own as `const vocabulary::Codec& codec()` (codec.hpp); a verb that
/// it has not is null. Bytes in, bytes out; no verb keeps anything between calls.
struct Codec {
  std::string_view name;  ///< metric label: openai_chat, openai_responses, anthropic, gemini, bedrock, completions

  // As a client's dialect.
  std::expected<ChatRequest, Refusal> (*decode_request)(std::string_view body) = nullptr;
  /// Appends. The reply was decoded from another dialect.
  void (*encode_reply)(const ChatReply& reply, const ReplyContext& context, std::string& to) = nullptr;
  std::unique_ptr<StreamEncoder> (*make_stream_encoder)(const ReplyContext& context) = nullptr;
  /// The body of an answer that is an error. `status`: the one the client gets.
  std::string (*encode_error)(const Ending& ending, int status, std::string_view call_id) = nullptr;

  // As an upstream's protocol.
  std::expected<EncodedRequest, Refusal> (*encode_request)(const ChatRequest& request, const TargetTraits& target,
                                                           Dropped& dropped) = nullptr;
  /// The error says what is wrong with the body, for upstream.protocol; names nothing of it.
  std::expected<ChatReply, std::string> (*decode_reply)(std::string_view body, const ReplyHints& hints) = nullptr;
  std::unique_ptr<StreamDecoder> (*make_stream_decoder)(const ReplyHints& hints) = nullptr;
  /// As openai_chat::classify_error; an error inside a 200 too.
  Ending (*decode_error)(int status, std::string_view body, std::string_view retry_after) = nullptr;
};

}  // namespace weir::vocabulary
