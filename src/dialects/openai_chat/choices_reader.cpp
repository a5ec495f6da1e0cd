#include "dialects/openai_chat/choices_reader.hpp"

namespace weir::openai_chat {
namespace {

/// A text, or a list of parts as some servers send for thinking: the strings in it.
bool read_text(json::Cursor& cursor, Generated& into) {
  const char first = cursor.peek();
  if (first == '"') {
    json::String text;
    if (!cursor.read_string(text)) return false;
    into.text_bytes += text.raw.size();
    into.content = into.content || !text.raw.empty();
    return true;
  }
  if (first == '[') return cursor.read_array([&] { return read_text(cursor, into); });
  if (first != '{') return cursor.skip_value();
  return cursor.read_object([&](const json::String& key, std::size_t) {
    const bool text = key.raw == "text" || key.raw == "thinking" || key.raw == "refusal";
    return text ? read_text(cursor, into) : cursor.skip_value();
  });
}

bool read_function(json::Cursor& cursor, Generated& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  into.content = true;
  return cursor.read_object([&](const json::String& key, std::size_t) {
    const bool text = key.raw == "arguments" || key.raw == "name" || key.raw == "input";
    return text ? read_text(cursor, into) : cursor.skip_value();
  });
}

bool read_tool_calls(json::Cursor& cursor, Generated& into) {
  if (cursor.peek() != '[') return cursor.skip_value();
  return cursor.read_array([&] {
    into.content = true;
    if (cursor.peek() != '{') return cursor.skip_value();
    return cursor.read_object([&](const json::String& key, std::size_t) {
      const bool function = key.raw == "function" || key.raw == "custom";
      return function ? read_function(cursor, into) : cursor.skip_value();
    });
  });
}

bool read_audio(json::Cursor& cursor, Generated& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  return cursor.read_object([&](const json::String& key, std::size_t) {
    into.content = true;
    return key.raw == "transcript" ? read_text(cursor, into) : cursor.skip_value();
  });
}

/// `delta` of a chunk or `message` of a whole reply.
bool read_message(json::Cursor& cursor, Generated& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  return cursor.read_object([&](const json::String& key, std::size_t) {
    const std::string_view name = key.raw;
    if (name == "content" || name == "refusal" || name == "reasoning_content" || name == "reasoning") {
      return read_text(cursor, into);
    }
    if (name == "tool_calls") return read_tool_calls(cursor, into);
    if (name == "function_call") return read_function(cursor, into);
    if (name == "audio") return read_audio(cursor, into);
    return cursor.skip_value();
  });
}

bool read_choice(json::Cursor& cursor, Generated& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  return cursor.read_object([&](const json::String& key, std::size_t) {
    const std::string_view name = key.raw;
    if (name == "delta" || name == "message") return read_message(cursor, into);
    if (name == "text") return read_text(cursor, into);
    if (name != "finish_reason" || cursor.peek() != '"') return cursor.skip_value();
    json::String reason;
    if (!cursor.read_string(reason)) return false;
    if (!reason.raw.empty()) into.finish_reason = reason.raw;
    return true;
  });
}

}  // namespace

bool read_choices(json::Cursor& cursor, Generated& into) {
  if (cursor.peek() != '[') return cursor.skip_value();
  return cursor.read_array([&] {
    ++into.choices;
    return read_choice(cursor, into);
  });
}

}  // namespace weir::openai_chat
