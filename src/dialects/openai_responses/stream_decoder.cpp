#include "dialects/openai_responses/stream_decoder.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dialects/openai_chat/error_class.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/openai_responses/item_decoder.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_responses {

using namespace vocabulary;

namespace {

constexpr std::size_t kCallsMax = 1024;  // a provider gone mad stops here
constexpr std::int64_t kNumberMax = std::int64_t{1} << 53;

/// Events that say nothing that another has not said.
constexpr std::array<std::string_view, 13> kRepeated{"response.in_progress",
                                                     "response.queued",
                                                     "response.content_part.added",
                                                     "response.content_part.done",
                                                     "response.output_text.done",
                                                     "response.refusal.done",
                                                     "response.function_call_arguments.done",
                                                     "response.reasoning_summary_part.added",
                                                     "response.reasoning_summary_part.done",
                                                     "response.reasoning_summary_text.done",
                                                     "response.reasoning_text.done",
                                                     "keepalive",
                                                     "response.created"};

}  // namespace

struct StreamDecoder::Fields {
  Text type, delta;
  std::int64_t output_index = -1;
  std::int64_t number = -1;
  Text item_type, item_id, call_id, name, item_arguments, sealed;
  StreamStart start;
  UsageReport usage;
  Text reason;
  std::string_view error;  ///< of the response
  Citation citation;
};

void StreamDecoder::feed(std::string_view, std::string_view data, Events& into) {
  if (failed_ || finished_ || data.empty() || data == "[DONE]") return;
  Fields fields;
  if (!read(data, fields)) return fail("The provider sent an event that is no event of a response.", into);
  act_on(fields, data, into);
  // Of an event that ends the stream as an error nothing is passed on: its number is free.
  if (!failed_ && fields.number >= 0 && fields.number < kNumberMax) next_event_ = fields.number + 1;
}

void StreamDecoder::act_on(Fields& fields, std::string_view data, Events& into) {
  const Text& type = fields.type;
  if (type == "response.output_text.delta") {
    if (!fields.delta.empty()) into.push_back(TextDelta{0, std::move(fields.delta)});
  } else if (type == "response.function_call_arguments.delta") {
    arguments(fields, into);
  } else if (type == "response.reasoning_summary_text.delta" || type == "response.reasoning_text.delta") {
    if (!fields.delta.empty()) into.push_back(ThinkingDelta{0, std::move(fields.delta)});
  } else if (type == "response.refusal.delta") {
    if (!fields.delta.empty()) into.push_back(RefusalDelta{0, std::move(fields.delta)});
  } else if (type == "response.output_item.added") {
    item_added(fields, into);
  } else if (type == "response.output_item.done") {
    item_done(fields, into);
  } else if (type == "response.output_text.annotation.added") {
    into.push_back(CitationDelta{0, std::move(fields.citation)});
  } else if (type == "response.completed" || type == "response.incomplete") {
    finish(fields, into);
  } else if (type == "response.failed" || type == "error") {
    failed_ = true;
    std::string body{data};
    if (!fields.error.empty()) body = "{\"error\":" + std::string{fields.error} + "}";
    const Ending ending = openai_chat::classify_error(200, body, {});
    into.push_back(StreamError{
        .failure = ending.failure, .status = ending.status, .message = ending.message, .code = ending.code});
  } else if (type == "response.created") {
    start(fields, into);
  } else if (std::none_of(kRepeated.begin(), kRepeated.end(), [&](std::string_view name) { return type == name; })) {
    ++unknown_;
  }
}

void StreamDecoder::end(Events& into) {
  if (ended_ || failed_ || !finished_) return;
  ended_ = true;
  into.push_back(Done{});
}

bool StreamDecoder::read(std::string_view data, Fields& fields) {
  json::Cursor cursor(data);
  if (cursor.peek() != '{') return false;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "type") return read_text(cursor, fields.type);
    if (key == "delta" && cursor.peek() == '"') return read_text(cursor, fields.delta);
    const bool counts = key == "sequence_number" && static_cast<unsigned>(cursor.peek() - '0') <= 9;
    if (counts) return read_integer(cursor, fields.number);
    if (key == "output_index") return read_integer(cursor, fields.output_index);
    if (key == "item" && cursor.peek() == '{') return read_item(cursor, fields);
    if (key == "response" && cursor.peek() == '{') return read_response(cursor, data, fields);
    if (key == "annotation" && cursor.peek() == '{') return read_citation(cursor, fields.citation);
    return cursor.skip_value();
  });
  return read && cursor.at_end();
}

bool StreamDecoder::read_response(json::Cursor& cursor, std::string_view data, Fields& fields) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "id") return read_text(cursor, fields.start.id);
    if (key == "model") return read_text(cursor, fields.start.model);
    if (key == "created_at") return read_seconds(cursor, fields.start.created);
    if (key == "usage") return openai_chat::read_usage_report(cursor, data, fields.usage);
    if (key == "error") return read_raw(cursor, data, fields.error);
    if (key != "incomplete_details") return cursor.skip_value();
    return each_member(cursor, [&](std::string_view member) {
      return member == "reason" ? read_text(cursor, fields.reason) : cursor.skip_value();
    });
  });
}

bool StreamDecoder::read_item(json::Cursor& cursor, Fields& fields) {
  return each_member(cursor, [&](std::string_view key) {
    if (cursor.peek() != '"') return cursor.skip_value();
    if (key == "type") return read_text(cursor, fields.item_type);
    if (key == "id") return read_text(cursor, fields.item_id);
    if (key == "call_id") return read_text(cursor, fields.call_id);
    if (key == "name") return read_text(cursor, fields.name);
    if (key == "arguments") return read_text(cursor, fields.item_arguments);
    return key == "encrypted_content" ? read_text(cursor, fields.sealed) : cursor.skip_value();
  });
}

void StreamDecoder::start(Fields& fields, Events& into) {
  if (started_) return fail("The provider began its response twice.", into);
  started_ = true;
  into.push_back(std::move(fields.start));
}

StreamDecoder::Call* StreamDecoder::find(std::int64_t output_index) {
  const auto call =
      std::find_if(calls_.begin(), calls_.end(), [&](const Call& one) { return one.output_index == output_index; });
  return call == calls_.end() ? nullptr : &*call;
}

void StreamDecoder::item_added(Fields& fields, Events& into) {
  if (!(fields.item_type == "function_call")) return;
  if (find(fields.output_index) != nullptr || calls_.size() == kCallsMax || fields.name.empty()) {
    return fail("The provider began a function call that it had begun or that has no name.", into);
  }
  const auto index = static_cast<std::uint32_t>(calls_.size());
  calls_.push_back({fields.output_index, !fields.item_arguments.empty()});
  into.push_back(ToolCallStart{0, index, std::move(fields.call_id), std::move(fields.name), {}});
  if (!fields.item_arguments.empty()) into.push_back(ToolArgumentsDelta{0, index, std::move(fields.item_arguments)});
}

void StreamDecoder::arguments(Fields& fields, Events& into) {
  Call* call = find(fields.output_index);
  if (call == nullptr) return fail("The provider sent arguments of a function call that never began.", into);
  if (fields.delta.empty()) return;
  call->arguments = true;
  into.push_back(ToolArgumentsDelta{0, static_cast<std::uint32_t>(call - calls_.data()), std::move(fields.delta)});
}

void StreamDecoder::item_done(Fields& fields, Events& into) {
  if (fields.item_type == "reasoning") {
    const std::string sealed = fields.sealed.str();
    if (sealed.starts_with(kRedacted)) {
      into.push_back(RedactedThinking{0, Text::owned(sealed.substr(kRedacted.size()))});
    } else if (!sealed.empty()) {
      into.push_back(SignatureDelta{0, std::move(fields.sealed)});
    }
    into.push_back(BlockFinish{0});
  } else if (fields.item_type == "function_call") {
    if (find(fields.output_index) == nullptr) item_added(fields, into);
    Call* call = find(fields.output_index);
    if (call == nullptr || call->arguments || fields.item_arguments.empty()) return;
    call->arguments = true;  // some servers send them only here
    into.push_back(
        ToolArgumentsDelta{0, static_cast<std::uint32_t>(call - calls_.data()), std::move(fields.item_arguments)});
  }
}

void StreamDecoder::finish(Fields& fields, Events& into) {
  finished_ = true;
  Finish reason = calls_.empty() ? Finish::stop : Finish::tool_calls;
  if (fields.type == "response.incomplete") {
    reason = fields.reason == "content_filter" ? Finish::content_filter : Finish::length;
  }
  into.push_back(ChoiceFinish{0, reason, {}});
  if (fields.usage.usage.reported) into.push_back(UsageSnapshot{fields.usage});
  end(into);
}

void StreamDecoder::fail(std::string_view message, Events& into) {
  failed_ = true;
  into.push_back(
      StreamError{.failure = Failure::upstream_protocol, .status = 0, .message = std::string{message}, .code = {}});
}

}  // namespace weir::openai_responses
