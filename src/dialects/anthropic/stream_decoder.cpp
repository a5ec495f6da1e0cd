#include "dialects/anthropic/stream_decoder.hpp"

#include <utility>

#include "dialects/anthropic/block_decoder.hpp"
#include "dialects/anthropic/stop_reason.hpp"
#include "dialects/openai_chat/error_class.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::anthropic {

using namespace vocabulary;

namespace {

constexpr std::size_t kBlocksMax = 4096;  // a provider gone mad stops here

}  // namespace

struct StreamDecoder::Fields {
  Text type, id, model;
  std::int64_t index = -1;
  Text block_type, block_id, name, text, thinking, signature, data;  // of content_block, or of delta
  std::string_view input;
  Text delta_type, partial_json, stop_reason, stop_sequence;
  Citation citation;
};

void StreamDecoder::feed(std::string_view, std::string_view data, Events& into) {
  if (failed_ || stopped_ || data.empty()) return;
  Fields fields;
  if (!read(data, fields)) return fail("The provider sent an event that is no event of a message.", into);
  const Text& type = fields.type;
  if (type == "message_start") {
    start(fields, into);
  } else if (type == "content_block_start") {
    block_start(fields, into);
  } else if (type == "content_block_delta") {
    block_delta(fields, into);
  } else if (type == "content_block_stop") {
    block_stop(fields, into);
  } else if (type == "message_delta") {
    message_delta(fields, into);
  } else if (type == "message_stop") {
    if (!started_) return fail("The provider ended a message that never began.", into);
    stopped_ = true;
    end(into);
  } else if (type == "ping") {
    into.push_back(Ping{});
  } else if (type == "error") {
    failed_ = true;
    const Ending ending = openai_chat::classify_error(200, data, {});
    into.push_back(StreamError{
        .failure = ending.failure, .status = ending.status, .message = ending.message, .code = ending.code});
  } else {
    ++unknown_;
  }
}

void StreamDecoder::end(Events& into) {
  if (ended_ || failed_ || !complete()) return;
  ended_ = true;
  into.push_back(Done{});
}

bool StreamDecoder::read(std::string_view data, Fields& fields) {
  json::Cursor cursor(data);
  if (cursor.peek() != '{') return false;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "type") return read_text(cursor, fields.type);
    if (key == "index") return read_integer(cursor, fields.index);
    if (key == "delta") return read_delta(cursor, data, fields);
    if (key == "content_block") return read_block(cursor, data, fields);
    if (key == "message" && cursor.peek() == '{') return read_message(cursor, fields);
    if (key == "usage") return read_usage(cursor, usage_);
    return cursor.skip_value();
  });
  usage_.service_tier = {};  // a view into `data`
  return read && cursor.at_end();
}

bool StreamDecoder::read_message(json::Cursor& cursor, Fields& fields) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "id") return read_text(cursor, fields.id);
    if (key == "model") return read_text(cursor, fields.model);
    return key == "usage" ? read_usage(cursor, usage_) : cursor.skip_value();
  });
}

bool StreamDecoder::read_block(json::Cursor& cursor, std::string_view data, Fields& fields) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "type") return read_text(cursor, fields.block_type);
    if (key == "id") return read_text(cursor, fields.block_id);
    if (key == "name") return read_text(cursor, fields.name);
    if (key == "text") return read_text(cursor, fields.text);
    if (key == "thinking") return read_text(cursor, fields.thinking);
    if (key == "signature") return read_text(cursor, fields.signature);
    if (key == "data") return read_text(cursor, fields.data);
    return key == "input" ? read_raw(cursor, data, fields.input) : cursor.skip_value();
  });
}

bool StreamDecoder::read_delta(json::Cursor& cursor, std::string_view data, Fields& fields) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "type") return read_text(cursor, fields.delta_type);
    if (key == "text") return read_text(cursor, fields.text);
    if (key == "partial_json") return read_text(cursor, fields.partial_json);
    if (key == "thinking") return read_text(cursor, fields.thinking);
    if (key == "signature") return read_text(cursor, fields.signature);
    if (key == "stop_reason") return read_text(cursor, fields.stop_reason);
    if (key == "stop_sequence") return read_text(cursor, fields.stop_sequence);
    if (key == "citation" && cursor.peek() == '{') return read_citation(cursor, data, fields.citation);
    return cursor.skip_value();
  });
}

void StreamDecoder::start(Fields& fields, Events& into) {
  if (started_) return fail("The provider began its message twice.", into);
  started_ = true;
  into.push_back(StreamStart{std::move(fields.id), std::move(fields.model), 0, usage_.report()});
}

void StreamDecoder::block_start(Fields& fields, Events& into) {
  const bool fits = fields.index >= 0 && fields.index < static_cast<std::int64_t>(kBlocksMax);
  if (!started_ || !fits) return fail("The provider sent content outside a message.", into);
  const auto index = static_cast<std::size_t>(fields.index);
  if (blocks_.size() <= index) blocks_.resize(index + 1);
  Block& block = blocks_[index];
  if (block.kind != Kind::closed) return fail("The provider began a block of content twice.", into);
  const Text& type = fields.block_type;
  if (type == "text") {
    block.kind = Kind::text;
    if (!fields.text.empty()) into.push_back(TextDelta{0, std::move(fields.text)});
  } else if (type == "thinking") {
    block.kind = Kind::thinking;
    if (!fields.thinking.empty()) into.push_back(ThinkingDelta{0, std::move(fields.thinking)});
    if (!fields.signature.empty()) into.push_back(SignatureDelta{0, std::move(fields.signature)});
  } else if (type == "redacted_thinking") {
    block.kind = Kind::redacted;
    into.push_back(RedactedThinking{0, std::move(fields.data)});
  } else if (type == "tool_use") {
    const bool whole = fields.input.size() > 2 && fields.input.front() == '{';  // some servers send it all at once
    if (!schema_tool_.empty() && fields.name == schema_tool_) {
      block.kind = Kind::schema;
      schema_called_ = true;
      if (whole) into.push_back(TextDelta{0, Text::plain(fields.input)});
      return;
    }
    block = {Kind::tool, calls_++};
    into.push_back(ToolCallStart{0, block.call, std::move(fields.block_id), std::move(fields.name), {}});
    if (whole) into.push_back(ToolArgumentsDelta{0, block.call, Text::plain(fields.input)});
  } else {
    block.kind = Kind::unknown;
    ++unknown_;
  }
}

void StreamDecoder::block_delta(Fields& fields, Events& into) {
  const bool known = fields.index >= 0 && fields.index < static_cast<std::int64_t>(blocks_.size());
  const Block block = known ? blocks_[static_cast<std::size_t>(fields.index)] : Block{};
  if (block.kind == Kind::closed) return fail("The provider sent content of a block that is not open.", into);
  if (block.kind == Kind::unknown) return;
  const Text& type = fields.delta_type;
  if (type == "text_delta" && block.kind == Kind::text) {
    into.push_back(TextDelta{0, std::move(fields.text)});
  } else if (type == "input_json_delta" && block.kind == Kind::tool) {
    if (fields.partial_json.empty()) return;
    into.push_back(ToolArgumentsDelta{0, block.call, std::move(fields.partial_json)});
  } else if (type == "input_json_delta" && block.kind == Kind::schema) {
    if (!fields.partial_json.empty()) into.push_back(TextDelta{0, std::move(fields.partial_json)});
  } else if (type == "thinking_delta" && block.kind == Kind::thinking) {
    into.push_back(ThinkingDelta{0, std::move(fields.thinking)});
  } else if (type == "signature_delta" && block.kind == Kind::thinking) {
    into.push_back(SignatureDelta{0, std::move(fields.signature)});
  } else if (type == "citations_delta" && block.kind == Kind::text) {
    into.push_back(CitationDelta{0, std::move(fields.citation)});
  } else if (type == "text_delta" || type == "input_json_delta" || type == "thinking_delta") {
    fail("The provider sent content of another kind than its block.", into);
  } else {
    ++unknown_;
  }
}

void StreamDecoder::block_stop(const Fields& fields, Events& into) {
  const bool known = fields.index >= 0 && fields.index < static_cast<std::int64_t>(blocks_.size());
  if (!known || blocks_[static_cast<std::size_t>(fields.index)].kind == Kind::closed) {
    return fail("The provider ended a block of content that is not open.", into);
  }
  const Block block = std::exchange(blocks_[static_cast<std::size_t>(fields.index)], Block{});
  if (block.kind != Kind::unknown) into.push_back(BlockFinish{0});
}

void StreamDecoder::message_delta(Fields& fields, Events& into) {
  if (!started_) return fail("The provider ended a message that never began.", into);
  if (!fields.stop_reason.empty() && !stop_reason_seen_) {
    stop_reason_seen_ = true;
    Finish finish = finish_of(fields.stop_reason);
    if (schema_called_ && calls_ == 0 && finish == Finish::tool_calls) finish = Finish::stop;
    into.push_back(ChoiceFinish{0, finish, std::move(fields.stop_sequence)});
  }
  const UsageReport report = usage_.report();
  if (report.usage.reported) into.push_back(UsageSnapshot{report});
}

void StreamDecoder::fail(std::string_view message, Events& into) {
  failed_ = true;
  into.push_back(
      StreamError{.failure = Failure::upstream_protocol, .status = 0, .message = std::string{message}, .code = {}});
}

}  // namespace weir::anthropic
