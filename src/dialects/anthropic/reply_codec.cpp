#include "dialects/anthropic/reply_codec.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "dialects/anthropic/block_decoder.hpp"
#include "dialects/anthropic/block_encoder.hpp"
#include "dialects/anthropic/stop_reason.hpp"
#include "dialects/anthropic/usage_reader.hpp"
#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::anthropic {

using namespace vocabulary;

namespace {

/// The forced tool's arguments are the answer's text.
void unwrap_schema_tool(Choice& choice, const std::string& schema_tool) {
  if (schema_tool.empty()) return;
  bool other_calls = false;
  bool unwrapped = false;
  for (Part& part : choice.parts) {
    auto* call = part.as<ToolCallPart>();
    if (call == nullptr) continue;
    if (!(call->name == schema_tool)) {
      other_calls = true;
      continue;
    }
    Text answer = std::move(call->arguments);
    part.value = TextPart{std::move(answer), {}};
    unwrapped = true;
  }
  if (unwrapped && !other_calls && choice.finish == Finish::tool_calls) choice.finish = Finish::stop;
}

std::string_view type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

struct BlockWriter {
  Writer& out;
  const ReplyContext& context;
  std::size_t& calls;

  void operator()(const TextPart& part) const {
    if (part.text.empty()) return;
    out.open_object();
    out.key("type").string("text");
    out.key("text").text(part.text);
    if (!part.citations.empty()) {
      out.key("citations").open_array();
      for (const Citation& citation : part.citations) encode_citation(out, citation);
      out.close_array();
    }
    out.close_object();
  }
  void operator()(const RefusalPart& part) const { (*this)(TextPart{part.text, {}}); }
  void operator()(const ThinkingPart& part) const {
    out.open_object();
    out.key("type").string("thinking");
    out.key("thinking").text(part.text);
    out.key("signature").text(part.signature);
    out.close_object();
  }
  void operator()(const RedactedThinkingPart& part) const {
    out.open_object();
    out.key("type").string("redacted_thinking");
    out.key("data").text(part.data);
    out.close_object();
  }
  void operator()(const ToolCallPart& part) const {
    const std::string input = part.arguments.empty() ? "{}" : part.arguments.str();
    out.open_object();
    out.key("type").string("tool_use");
    out.key("id").string(part.id.empty() ? fmt::format("toolu_{}_{}", context.call_id, calls) : tool_id(part.id));
    ++calls;
    out.key("name").text(part.name);
    out.key("input");
    if (is_object(input)) {
      out.raw(input);
    } else {
      out.open_object();
      out.key("invalid_json").string(input);
      out.close_object();
    }
    out.close_object();
  }
  // Not in an answer of this dialect.
  void operator()(const ImagePart&) const {}
  void operator()(const DocumentPart&) const {}
  void operator()(const AudioPart&) const {}
  void operator()(const ToolResultPart&) const {}
};

}  // namespace

std::expected<ChatReply, std::string> decode_reply(std::string_view body, const ReplyHints& hints) {
  if (!json::valid_utf8(body)) return std::unexpected("The provider's answer is not UTF-8.");
  json::Cursor cursor(body);
  if (cursor.peek() != '{') return std::unexpected("The provider's answer is no JSON object.");
  ChatReply reply;
  Choice choice;
  Text type, stop_reason;
  UsageCounters usage;
  bool content = false;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "type") return read_text(cursor, type);
    if (key == "id") return read_text(cursor, reply.id);
    if (key == "model") return read_text(cursor, reply.model);
    if (key == "stop_reason") return read_text(cursor, stop_reason);
    if (key == "stop_sequence") return read_text(cursor, choice.stop_sequence);
    if (key == "usage") return read_usage(cursor, usage);
    if (key == "error") {
      reply.error = cursor.peek() != 'n';
      return cursor.skip_value();
    }
    if (key != "content") return cursor.skip_value();
    content = true;
    choice.parts.clear();
    return BlockDecoder{cursor, body}.read_content(choice.parts);
  });
  if (!read || !cursor.at_end()) {
    return std::unexpected(fmt::format("The provider's answer is not a message: at byte {} should be {}.",
                                       cursor.offset(), cursor.problem()));
  }
  reply.error |= type == "error";
  if (!reply.error && !content) return std::unexpected("The provider's answer has no content.");
  choice.finish = finish_of(stop_reason);
  unwrap_schema_tool(choice, hints.schema_tool);
  reply.usage = usage.report();
  reply.service_tier = std::move(usage.service_tier);
  reply.choices.push_back(std::move(choice));
  return reply;
}

void encode_message_head(Writer& out, const Text& id, const Text& model, std::string_view other_id,
                         std::string_view other_model) {
  out.key("id");
  id.empty() ? out.string(other_id) : out.text(id);
  out.key("type").string("message");
  out.key("role").string("assistant");
  out.key("model");
  model.empty() ? out.string(other_model) : out.text(model);
}

void encode_citation(Writer& out, const Citation& citation) {
  if (!citation.raw.empty()) return out.raw(citation.raw);
  out.open_object();
  out.key("type").string("web_search_result_location");
  out.key("url").text(citation.url);
  out.key("title").text(citation.title);
  out.key("cited_text").text(citation.cited_text);
  out.key("encrypted_index").string("");
  out.close_object();
}

void encode_reply(const ChatReply& reply, const ReplyContext& context, std::string& to) {
  Writer out(to);
  out.open_document();
  encode_message_head(out, reply.id, reply.model, context.call_id, context.model);
  out.key("content").open_array();
  Finish finish = Finish::unset;
  const Text* stop_sequence = nullptr;
  std::size_t calls = 0;
  if (!reply.choices.empty()) {
    const Choice& choice = reply.choices.front();
    for (const Part& part : choice.parts) std::visit(BlockWriter{out, context, calls}, part.value);
    finish = choice.finish;
    if (!choice.stop_sequence.empty()) stop_sequence = &choice.stop_sequence;
  }
  if (finish == Finish::unset && calls > 0) finish = Finish::tool_calls;
  out.close_array();
  out.key("stop_reason").string(stop_reason_of(finish));
  out.key("stop_sequence");
  stop_sequence == nullptr ? out.raw("null") : out.text(*stop_sequence);
  encode_usage(out.key("usage"), reply.usage);
  out.close_object();
}

std::string encode_error(std::string_view message, int status, std::string_view request_id) {
  std::string body;
  Writer out(body);
  out.open_document();
  out.key("type").string("error");
  out.key("error").open_object();
  out.key("type").string(type_of(status));
  out.key("message").string(message);
  out.close_object();
  out.key("request_id");
  request_id.empty() ? out.raw("null") : out.string(request_id);
  out.close_object();
  return body;
}

}  // namespace weir::anthropic
