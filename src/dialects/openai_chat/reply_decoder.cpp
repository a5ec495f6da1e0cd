#include "dialects/openai_chat/reply_decoder.hpp"

#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/message_decoder.hpp"
#include "dialects/openai_chat/usage_reader.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_chat {
namespace {

using namespace vocabulary;

bool read_choice(json::Cursor& cursor, std::string_view body, Choice& into) {
  Message message;
  std::int64_t index = into.index;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "index") return read_integer(cursor, index);
    if (key == "message") {
      message = {};
      return MessageDecoder{cursor, body}.read_message(message, Role::assistant);
    }
    if (key == "logprobs") return read_raw(cursor, body, into.logprobs);
    if (key != "finish_reason") return cursor.skip_value();
    Text reason;
    if (!read_text(cursor, reason)) return false;
    into.finish = finish_of(reason);
    return true;
  });
  if (index >= 0 && index < 1024) into.index = static_cast<std::uint32_t>(index);
  into.parts = std::move(message.parts);
  return read;
}

bool read_details(json::Cursor& cursor, UsageDetails& into, bool output) {
  return each_member(cursor, [&](std::string_view key) {
    const char first = cursor.peek();
    if (first == '{' || first == '[' || first == '"') return cursor.skip_value();
    if (key == "audio_tokens") return read_integer(cursor, output ? into.audio_output : into.audio_input);
    if (key == "accepted_prediction_tokens") return read_integer(cursor, into.accepted_prediction);
    if (key == "rejected_prediction_tokens") return read_integer(cursor, into.rejected_prediction);
    return cursor.skip_value();
  });
}

}  // namespace

bool read_usage_report(json::Cursor& cursor, std::string_view body, UsageReport& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  const std::size_t begin = cursor.offset();
  Usage usage;
  if (!read_usage(cursor, usage)) return false;
  if (!usage.reported) return true;
  into.usage = usage;
  json::Cursor again(body.substr(begin, cursor.offset() - begin));
  UsageDetails details;
  const bool read = each_member(again, [&](std::string_view key) {
    const bool output = key == "completion_tokens_details" || key == "output_tokens_details";
    if (!output && key != "prompt_tokens_details" && key != "input_tokens_details") return again.skip_value();
    return again.peek() == '{' ? read_details(again, details, output) : again.skip_value();
  });
  if (read) into.details = details;
  return true;
}

Finish finish_of(const Text& reason) {
  if (reason.empty()) return Finish::unset;
  if (reason == "length") return Finish::length;
  if (reason == "tool_calls" || reason == "function_call") return Finish::tool_calls;
  if (reason == "content_filter") return Finish::content_filter;
  return Finish::stop;  // "stop", and what compatible servers call it: eos, stop_sequence, end_turn
}

std::string_view name_of(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "length";
    case Finish::tool_calls:
      return "tool_calls";
    case Finish::content_filter:
    case Finish::refusal:
      return "content_filter";
    case Finish::unset:
    case Finish::stop:
    case Finish::pause:
    case Finish::stop_sequence:
      return "stop";
  }
  return "stop";
}

std::expected<ChatReply, std::string> decode_reply(std::string_view body, const ReplyHints&) {
  if (!json::valid_utf8(body)) return std::unexpected("The provider's answer is not UTF-8.");
  json::Cursor cursor(body);
  ChatReply reply;
  if (cursor.peek() != '{') return std::unexpected("The provider's answer is no JSON object.");
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "id" && cursor.peek() == '"') return read_text(cursor, reply.id);
    if (key == "model") return read_text(cursor, reply.model);
    if (key == "created") return read_seconds(cursor, reply.created);
    if (key == "service_tier") return read_text(cursor, reply.service_tier);
    if (key == "system_fingerprint") return read_text(cursor, reply.system_fingerprint);
    if (key == "usage") return read_usage_report(cursor, body, reply.usage);
    if (key == "error") {
      reply.error = cursor.peek() != 'n';
      return cursor.skip_value();
    }
    if (key != "choices") return cursor.skip_value();
    reply.choices.clear();
    return each_element(cursor, [&] {
      Choice choice;
      choice.index = static_cast<std::uint32_t>(reply.choices.size());
      if (!read_choice(cursor, body, choice)) return false;
      reply.choices.push_back(std::move(choice));
      return true;
    });
  });
  if (!read || !cursor.at_end()) {
    return std::unexpected(fmt::format("The provider's answer is not a chat completion: at byte {} should be {}.",
                                       cursor.offset(), cursor.problem()));
  }
  if (!reply.error && reply.choices.empty()) return std::unexpected("The provider's answer has no choices.");
  return reply;
}

}  // namespace weir::openai_chat
