#include "dialects/openai_chat/stream_scanner.hpp"

#include <algorithm>

#include <weir/base/ascii.hpp>

#include "dialects/openai_chat/choices_reader.hpp"
#include "dialects/openai_chat/usage_reader.hpp"

namespace weir::openai_chat {
namespace {

constexpr std::string_view kDataField = "data: ";

/// Reads the object in `data`, which stands `shift` bytes into the event.
bool read_object(std::string_view data, std::size_t shift, ChunkFacts& facts) {
  const auto place = [shift](std::size_t offset) { return static_cast<std::uint32_t>(offset + shift); };
  json::Cursor cursor{data};
  if (cursor.peek() != '{') return false;
  Generated generated;
  bool error = false;
  MemberSpan usage;
  bool comma_follows = false;
  std::size_t previous_end = 0;  // where the member before ends; 0 = there is none
  const auto member = [&](const json::String& key, std::size_t key_offset) {
    if (comma_follows) usage.comma_after = place(key_offset);
    comma_follows = false;
    const std::string_view name = key.raw;
    bool read = true;
    if (name == "choices") {
      read = read_choices(cursor, generated);
    } else if (name == "usage") {
      usage.key = place(key_offset);
      usage.comma_before = previous_end == 0 ? MemberSpan::none : place(previous_end);
      facts.usage = {};  // should it stand twice, the last one counts
      const bool object = cursor.peek() == '{';
      usage.value.begin = place(cursor.offset());
      read = object ? read_usage(cursor, facts.usage) : cursor.skip_value();
      usage.value.end = place(cursor.offset());
      facts.usage_end = facts.usage.reported ? usage.value.end - 1 : 0;
      comma_follows = true;
    } else if (name == "model" && cursor.peek() == '"') {
      json::String model;
      read = cursor.read_string(model);
      facts.model = model.raw;
    } else if (name == "error") {
      error = cursor.peek() != 'n';
      read = cursor.skip_value();
    } else {
      read = cursor.skip_value();
    }
    previous_end = cursor.offset();
    return read;
  };
  if (!cursor.read_object(member) || !cursor.at_end()) return false;
  facts.finish_reason = generated.finish_reason;
  facts.text_bytes = generated.text_bytes;
  facts.has_usage_member = usage.present();
  if (usage.present() && usage.comma_before != MemberSpan::none) {
    facts.usage_cut = {usage.comma_before, usage.value.end};
  } else if (usage.present()) {
    // The first member goes up to the next key, with the comma between.
    facts.usage_cut = {usage.key, usage.comma_after == MemberSpan::none ? usage.value.end : usage.comma_after};
  }
  if (error) {
    facts.kind = ChunkKind::error;
  } else if (generated.content || !generated.finish_reason.empty()) {
    facts.kind = ChunkKind::content;
  } else {
    facts.kind = generated.choices == 0 && facts.usage.reported ? ChunkKind::usage_only : ChunkKind::other;
  }
  return true;
}

}  // namespace

ChunkFacts read_chunk(std::string_view raw, std::string_view event, std::string_view data) {
  ChunkFacts facts;
  if (event == "error") {
    facts.kind = ChunkKind::error;
    return facts;
  }
  if (data.empty()) return facts;
  if (data.front() != '{' && trim(data) == "[DONE]") {
    facts.kind = ChunkKind::done;
    return facts;
  }
  const bool inside = !std::less<>{}(data.data(), raw.data()) && !std::less<>{}(raw.end(), data.end());
  if (!inside) {
    // Lines were joined with LF, which is white space in JSON and cannot stand inside a string.
    facts.rewritten.append(kDataField).append(data).append("\n\n");
    std::replace(facts.rewritten.begin(), facts.rewritten.end() - 2, '\n', ' ');
  }
  const std::size_t shift = inside ? static_cast<std::size_t>(data.data() - raw.data()) : kDataField.size();
  if (!read_object(data, shift, facts)) facts.kind = ChunkKind::malformed;
  return facts;
}

void StreamState::add(const ChunkFacts& chunk) {
  if (model_.empty() && !chunk.model.empty()) model_ = chunk.model;
  if (!chunk.finish_reason.empty()) finish_reason_ = chunk.finish_reason;
  if (chunk.usage.reported) usage_ = chunk.usage;
  text_bytes_ += chunk.text_bytes;
  content_seen_ = content_seen_ || chunk.kind == ChunkKind::content;
  done_seen_ = done_seen_ || chunk.kind == ChunkKind::done;
}

Usage StreamState::usage_or_estimate(std::uint64_t prompt_bytes) const {
  Usage usage = usage_;
  const std::int64_t output = tokens_from_bytes(text_bytes_);
  if (!usage.reported) {
    usage.uncached = tokens_from_bytes(prompt_bytes);
    usage.output = output;
    usage.estimated = true;
  } else if (!complete() && output > usage.output) {
    usage.output = output;
    usage.estimated = true;
  }
  return usage;
}

}  // namespace weir::openai_chat
