#include "dialects/openai_chat/message_decoder.hpp"

#include <optional>
#include <utility>

#include "dialects/vocabulary/media.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_chat {
namespace {

using namespace vocabulary;

std::optional<Role> role_of(const Text& name) {
  if (name == "user") return Role::user;
  if (name == "assistant") return Role::assistant;
  if (name == "system") return Role::system;
  if (name == "developer") return Role::developer;
  if (name == "tool") return Role::tool;
  return std::nullopt;
}

bool read_cache_control(json::Cursor& cursor, std::optional<CacheControl>& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  into.emplace();
  return each_member(
      cursor, [&](std::string_view key) { return key == "ttl" ? read_text(cursor, into->ttl) : cursor.skip_value(); });
}

}  // namespace

/// What one message says, in any order of its keys.
struct MessageDecoder::Draft {
  Text role, name, call_id, refusal, reasoning;
  std::vector<Part> content, thinking, tool_calls;
  std::vector<Citation> citations;
};

bool MessageDecoder::read_message(Message& into, std::optional<Role> otherwise) {
  Draft draft;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "role") return read_text(cursor_, draft.role);
    if (key == "content") return read_content(draft.content);
    if (key == "tool_calls") return read_tool_calls(draft.tool_calls);
    if (key == "tool_call_id") return read_text(cursor_, draft.call_id);
    if (key == "name") return read_text(cursor_, draft.name);
    if (key == "refusal") return read_text(cursor_, draft.refusal);
    if (key == "reasoning_content" || (key == "reasoning" && cursor_.peek() == '"')) {
      return read_text(cursor_, draft.reasoning);
    }
    if (key == "thinking_blocks") return read_thinking_blocks(draft.thinking);
    if (key == "annotations") return read_annotations(draft.citations);
    if (key == "function_call" && cursor_.peek() == '{') return cursor_.fail("tool_calls instead of function_call");
    return cursor_.skip_value();
  });
  return read && finish(draft, draft.role.empty() ? otherwise : role_of(draft.role), into);
}

bool MessageDecoder::finish(Draft& draft, std::optional<Role> role, Message& into) {
  if (!role) return cursor_.fail("a role: system, developer, user, assistant or tool");
  into.role = *role;
  into.name = std::move(draft.name);
  if (*role == Role::tool) {
    if (draft.call_id.empty()) return cursor_.fail("a tool_call_id in a message of role tool");
    ToolResultPart result{.call_id = std::move(draft.call_id), .name = {}, .content = std::move(draft.content)};
    if (!result.content.empty() && result.content.back().cache) {
      into.parts.push_back({std::move(result)});
      into.parts.back().cache = into.parts.back().as<ToolResultPart>()->content.back().cache;
      into.parts.back().as<ToolResultPart>()->content.back().cache.reset();
    } else {
      into.parts.push_back({std::move(result)});
    }
    return true;
  }
  // Signed blocks say the same as the plain reasoning beside them, and can be sent back.
  if (draft.thinking.empty() && !draft.reasoning.empty()) {
    draft.thinking.push_back({ThinkingPart{.text = std::move(draft.reasoning), .signature = {}, .id = {}}});
  }
  into.parts = std::move(draft.thinking);
  if (!draft.citations.empty()) {
    for (Part& part : draft.content) {
      if (auto* text = part.as<TextPart>()) text->citations = std::exchange(draft.citations, {});
    }
  }
  for (Part& part : draft.content) into.parts.push_back(std::move(part));
  if (!draft.refusal.empty()) into.parts.push_back({RefusalPart{std::move(draft.refusal)}});
  for (Part& part : draft.tool_calls) into.parts.push_back(std::move(part));
  return true;
}

bool MessageDecoder::read_content(std::vector<Part>& into) {
  into.clear();
  if (cursor_.peek() == '"') {
    Text text;
    if (!read_text(cursor_, text)) return false;
    if (!text.empty()) into.push_back({TextPart{std::move(text), {}}});
    return true;
  }
  const char first = cursor_.peek();
  if (first != '[' && first != 'n') return cursor_.fail("content as a string or a list of parts");
  return each_element(cursor_, [&] { return read_part(into); });
}

bool MessageDecoder::read_part(std::vector<Part>& into) {
  Text type, text, url, detail;
  Media audio;
  Text audio_format;
  DocumentPart document;
  std::optional<Media> file;
  std::optional<CacheControl> cache;
  ThinkingPart thinking;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key == "text" || key == "refusal") return read_text(cursor_, text);
    if (key == "thinking" && cursor_.peek() == '[') return read_mistral_thinking(thinking);
    if (key == "image_url") {
      if (cursor_.peek() == '"') return read_text(cursor_, url);
      return each_member(cursor_, [&](std::string_view member) {
        if (member == "url") return read_text(cursor_, url);
        return member == "detail" ? read_text(cursor_, detail) : cursor_.skip_value();
      });
    }
    if (key == "input_audio") {
      return each_member(cursor_, [&](std::string_view member) {
        if (member == "data") return read_text(cursor_, audio.data);
        return member == "format" ? read_text(cursor_, audio_format) : cursor_.skip_value();
      });
    }
    if (key == "file") return read_file(document);
    if (key == "cache_control") return read_cache_control(cursor_, cache);
    return cursor_.skip_value();
  });
  if (!read) return false;
  Part part;
  if (type == "text" || type == "input_text" || type == "output_text") {
    part.value = TextPart{std::move(text), {}};
  } else if (type == "image_url") {
    std::optional<Media> media = media_of_url(url);
    if (!media || url.empty()) return cursor_.fail("an image as a URL or as a data URL in base64");
    part.value = ImagePart{std::move(*media), std::move(detail)};
  } else if (type == "input_audio") {
    audio.media_type = Text::owned("audio/" + audio_format.str());
    part.value = AudioPart{std::move(audio)};
  } else if (type == "file") {
    if (document.media.data.empty()) return cursor_.fail("a file with file_data (a data URL) or file_id");
    part.value = std::move(document);
  } else if (type == "refusal") {
    part.value = RefusalPart{std::move(text)};
  } else if (type == "thinking") {
    part.value = std::move(thinking);
  } else {
    return cursor_.fail("a content part of type text, image_url, input_audio, file or refusal");
  }
  part.cache = std::move(cache);
  into.push_back(std::move(part));
  return true;
}

bool MessageDecoder::read_file(DocumentPart& into) {
  Text data, id;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "file_data") return read_text(cursor_, data);
    if (key == "file_id") return read_text(cursor_, id);
    return key == "filename" ? read_text(cursor_, into.name) : cursor_.skip_value();
  });
  if (!read) return false;
  if (data.empty()) {
    into.media = Media{.source = Media::Source::file_id, .media_type = {}, .data = std::move(id)};
    return true;
  }
  std::optional<Media> media = media_of_url(data);
  if (!media) return cursor_.fail("file_data as a data URL in base64");
  into.media = std::move(*media);
  return true;
}

bool MessageDecoder::read_tool_calls(std::vector<Part>& into) {
  into.clear();
  return each_element(cursor_, [&] {
    ToolCallPart call;
    Text type;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "id") return read_text(cursor_, call.id);
      if (key == "type") return read_text(cursor_, type);
      if (key == "extra_content") {  // Google's compatible endpoint: {"google": {"thought_signature": "…"}}
        return each_member(cursor_, [&](std::string_view vendor) {
          if (vendor != "google") return cursor_.skip_value();
          return each_member(cursor_, [&](std::string_view member) {
            return member == "thought_signature" ? read_text(cursor_, call.signature) : cursor_.skip_value();
          });
        });
      }
      if (key != "function") return cursor_.skip_value();
      return each_member(cursor_, [&](std::string_view member) {
        if (member == "name") return read_text(cursor_, call.name);
        if (member != "arguments") return cursor_.skip_value();
        if (cursor_.peek() == '"') return read_text(cursor_, call.arguments);
        std::string_view object;  // some compatible servers send the object itself
        if (!read_raw(cursor_, body_, object)) return false;
        call.arguments = Text::plain(object);
        return true;
      });
    });
    if (!read) return false;
    if (call.name.empty()) return cursor_.fail("tool calls of type function with a name");
    into.push_back({std::move(call)});
    return true;
  });
}

/// Anthropic's blocks beside `reasoning_content`, so that signatures can make the round trip through this dialect.
bool MessageDecoder::read_thinking_blocks(std::vector<Part>& into) {
  return each_element(cursor_, [&] {
    Text type, data;
    ThinkingPart thinking;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "type") return read_text(cursor_, type);
      if (key == "thinking") return read_text(cursor_, thinking.text);
      if (key == "signature") return read_text(cursor_, thinking.signature);
      return key == "data" ? read_text(cursor_, data) : cursor_.skip_value();
    });
    if (!read) return false;
    if (type == "redacted_thinking") {
      into.push_back({RedactedThinkingPart{std::move(data)}});
    } else {
      into.push_back({std::move(thinking)});
    }
    return true;
  });
}

bool MessageDecoder::read_mistral_thinking(ThinkingPart& into) {
  std::string whole;
  const bool read = each_element(cursor_, [&] {
    return each_member(cursor_, [&](std::string_view key) {
      if (key != "text" || cursor_.peek() != '"') return cursor_.skip_value();
      Text text;
      if (!read_text(cursor_, text)) return false;
      text.append_plain(whole);
      return true;
    });
  });
  into.text = Text::owned(std::move(whole));
  return read;
}

bool MessageDecoder::read_annotations(std::vector<Citation>& into) {
  return each_element(cursor_, [&] {
    return each_member(cursor_, [&](std::string_view key) {
      if (key != "url_citation") return cursor_.skip_value();
      Citation citation;
      const bool read = each_member(cursor_, [&](std::string_view member) {
        if (member == "url") return read_text(cursor_, citation.url);
        if (member == "title") return read_text(cursor_, citation.title);
        if (member == "start_index") return read_integer(cursor_, citation.start);
        return member == "end_index" ? read_integer(cursor_, citation.end) : cursor_.skip_value();
      });
      into.push_back(std::move(citation));
      return read;
    });
  });
}

}  // namespace weir::openai_chat
