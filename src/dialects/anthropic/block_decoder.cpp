#include "dialects/anthropic/block_decoder.hpp"

#include <utility>

#include "dialects/vocabulary/read.hpp"

namespace weir::anthropic {

using namespace vocabulary;

/// What one block says, in any order of its keys.
struct BlockDecoder::Draft {
  Text type, text, id, name, title, tool_use_id, thinking, signature, data;
  Text source_type, media_type, source_data, url, file_id;
  std::string_view input;
  std::vector<Part> content;
  std::vector<Citation> citations;
  std::optional<CacheControl> cache;
  bool is_error = false;
  bool wants_citations = false;

  std::optional<Media> media() {
    if (source_type == "base64") return Media{Media::Source::base64, std::move(media_type), std::move(source_data)};
    if (source_type == "url") return Media{Media::Source::url, {}, std::move(url)};
    if (source_type == "text") return Media{Media::Source::text, std::move(media_type), std::move(source_data)};
    if (source_type == "file") return Media{Media::Source::file_id, {}, std::move(file_id)};
    return std::nullopt;
  }
};

bool BlockDecoder::read_content(std::vector<Part>& into) {
  const char first = cursor_.peek();
  if (first == '"') {
    Text text;
    if (!read_text(cursor_, text)) return false;
    if (!text.empty()) into.push_back({TextPart{std::move(text), {}}});
    return true;
  }
  if (first != '[' && first != 'n') return cursor_.fail("content as a string or a list of blocks");
  return each_element(cursor_, [&] { return read_block(into); });
}

bool BlockDecoder::read_block(std::vector<Part>& into) {
  Draft draft;
  return each_member(cursor_, [&](std::string_view key) { return read_field(key, draft); }) && finish(draft, into);
}

bool BlockDecoder::read_field(std::string_view key, Draft& draft) {
  if (key == "type") return read_text(cursor_, draft.type);
  if (key == "text") return read_text(cursor_, draft.text);
  if (key == "source" && cursor_.peek() == '{') return read_source(draft);
  if (key == "id") return read_text(cursor_, draft.id);
  if (key == "name") return read_text(cursor_, draft.name);
  if (key == "input") return read_raw(cursor_, body_, draft.input);
  if (key == "tool_use_id") return read_text(cursor_, draft.tool_use_id);
  if (key == "is_error") return read_bool(cursor_, draft.is_error);
  if (key == "thinking") return read_text(cursor_, draft.thinking);
  if (key == "signature") return read_text(cursor_, draft.signature);
  if (key == "data") return read_text(cursor_, draft.data);
  if (key == "title") return read_text(cursor_, draft.title);
  if (key == "cache_control") return read_cache_control(cursor_, draft.cache);
  if (key == "citations") return read_citations(draft);
  if (key == "content" && cursor_.peek() != '{') {
    // Blocks of server tools have a content of their own kinds, which must not be mistaken for ours.
    BlockDecoder inner(cursor_, body_);
    const bool read = inner.read_content(draft.content);
    unknown_.insert(unknown_.end(), inner.unknown_.begin(), inner.unknown_.end());
    return read;
  }
  return cursor_.skip_value();
}

bool BlockDecoder::read_source(Draft& draft) {
  return each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, draft.source_type);
    if (key == "media_type") return read_text(cursor_, draft.media_type);
    if (key == "data") return read_text(cursor_, draft.source_data);
    if (key == "url") return read_text(cursor_, draft.url);
    return key == "file_id" ? read_text(cursor_, draft.file_id) : cursor_.skip_value();
  });
}

/// A list in an answer; in a document of a request the wish for them: {"enabled": true}.
bool BlockDecoder::read_citations(Draft& draft) {
  if (cursor_.peek() != '[') {
    return each_member(cursor_, [&](std::string_view key) {
      return key == "enabled" ? read_bool(cursor_, draft.wants_citations) : cursor_.skip_value();
    });
  }
  return each_element(cursor_, [&] { return read_citation(cursor_, body_, draft.citations.emplace_back()); });
}

bool BlockDecoder::finish(Draft& draft, std::vector<Part>& into) {
  Part part;
  const Text& type = draft.type;
  if (type == "text") {
    part.value = TextPart{std::move(draft.text), std::move(draft.citations)};
  } else if (type == "image") {
    std::optional<Media> media = draft.media();
    if (!media) return cursor_.fail("an image whose source is base64, url or file");
    part.value = ImagePart{std::move(*media), {}};
  } else if (type == "document") {
    std::optional<Media> media = draft.media();
    if (!media) return cursor_.fail("a document whose source is base64, text, url or file");
    part.value = DocumentPart{std::move(*media), std::move(draft.title), draft.wants_citations};
  } else if (type == "tool_use") {
    if (draft.name.empty()) return cursor_.fail("a tool_use with a name");
    if (!draft.input.empty() && draft.input.front() != '{') return cursor_.fail("an object as input of a tool_use");
    part.value = ToolCallPart{std::move(draft.id), std::move(draft.name), Text::plain(draft.input), {}};
  } else if (type == "tool_result") {
    if (draft.tool_use_id.empty()) return cursor_.fail("a tool_result with its tool_use_id");
    part.value = ToolResultPart{std::move(draft.tool_use_id), {}, std::move(draft.content), draft.is_error};
  } else if (type == "thinking") {
    part.value = ThinkingPart{std::move(draft.thinking), std::move(draft.signature), {}};
  } else if (type == "redacted_thinking") {
    part.value = RedactedThinkingPart{std::move(draft.data)};
  } else if (type.empty()) {
    return cursor_.fail("a block with a type");
  } else {
    unknown_.push_back(type);
    return true;
  }
  part.cache = std::move(draft.cache);
  into.push_back(std::move(part));
  return true;
}

bool read_cache_control(json::Cursor& cursor, std::optional<CacheControl>& into) {
  if (cursor.peek() == 'n') return cursor.read_word("null");
  into.emplace();
  return each_member(
      cursor, [&](std::string_view key) { return key == "ttl" ? read_text(cursor, into->ttl) : cursor.skip_value(); });
}

bool read_citation(json::Cursor& cursor, std::string_view body, Citation& into) {
  cursor.peek();
  const std::size_t begin = cursor.offset();
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (cursor.peek() != '"') return cursor.skip_value();
    if (key == "url") return read_text(cursor, into.url);
    if (key == "title" || key == "document_title") return read_text(cursor, into.title);
    return key == "cited_text" ? read_text(cursor, into.cited_text) : cursor.skip_value();
  });
  into.raw = body.substr(begin, cursor.offset() - begin);
  return read;
}

}  // namespace weir::anthropic
