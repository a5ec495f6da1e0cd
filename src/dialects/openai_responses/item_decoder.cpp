#include "dialects/openai_responses/item_decoder.hpp"

#include <optional>
#include <string>
#include <utility>

#include "dialects/vocabulary/media.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_responses {

using namespace vocabulary;

namespace {

std::optional<Role> role_of(const Text& name) {
  if (name == "user") return Role::user;
  if (name == "assistant") return Role::assistant;
  if (name == "system") return Role::system;
  if (name == "developer") return Role::developer;
  return std::nullopt;
}

Message& last_of(std::vector<Message>& messages, Role role) {
  if (messages.empty() || messages.back().role != role) {
    messages.push_back({.role = role, .name = {}, .parts = {}});
  }
  return messages.back();
}

}  // namespace

struct ItemDecoder::Draft {
  Text type, role, id, call_id, name, arguments, encrypted, summary, reasoning;
  std::vector<Part> content, output;
};

bool ItemDecoder::read_item(std::vector<Message>& into) {
  Draft draft;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, draft.type);
    if (key == "role") return read_text(cursor_, draft.role);
    if (key == "content") return read_content(draft.content);
    if (key == "id") return read_text(cursor_, draft.id);
    if (key == "call_id") return read_text(cursor_, draft.call_id);
    if (key == "name" && cursor_.peek() == '"') return read_text(cursor_, draft.name);
    if (key == "arguments" && cursor_.peek() == '"') return read_text(cursor_, draft.arguments);
    const char first = cursor_.peek();
    if (key == "output" && (first == '"' || first == '[')) return read_content(draft.output);
    if (key == "encrypted_content") return read_text(cursor_, draft.encrypted);
    return key == "summary" ? read_summary(draft.summary) : cursor_.skip_value();
  });
  return read && finish(draft, into);
}

bool ItemDecoder::finish(Draft& draft, std::vector<Message>& into) {
  const Text& type = draft.type;
  if (type.empty() || type == "message") {
    const std::optional<Role> role = role_of(draft.role);
    if (!role) return cursor_.fail("a role: user, assistant, system or developer");
    Message& message = *role == Role::assistant ? last_of(into, Role::assistant) : into.emplace_back();
    message.role = *role;
    for (Part& part : draft.content) message.parts.push_back(std::move(part));
  } else if (type == "function_call") {
    if (draft.name.empty() || draft.call_id.empty()) return cursor_.fail("a function_call with its call_id and name");
    last_of(into, Role::assistant)
        .parts.push_back(
            {ToolCallPart{std::move(draft.call_id), std::move(draft.name), std::move(draft.arguments), {}}});
  } else if (type == "function_call_output") {
    if (draft.call_id.empty()) return cursor_.fail("a function_call_output with its call_id");
    last_of(into, Role::tool)
        .parts.push_back({ToolResultPart{std::move(draft.call_id), {}, std::move(draft.output), false}});
  } else if (type == "reasoning") {
    Message& message = last_of(into, Role::assistant);
    const std::string sealed = draft.encrypted.str();
    if (sealed.starts_with(kRedacted)) {
      message.parts.push_back({RedactedThinkingPart{Text::owned(sealed.substr(kRedacted.size()))}});
      return true;
    }
    std::string whole;
    for (const Part& part : draft.content) {
      if (const auto* thinking = part.as<ThinkingPart>()) thinking->text.append_plain(whole);
    }
    Text text = draft.summary.empty() ? Text::owned(std::move(whole)) : std::move(draft.summary);
    message.parts.push_back({ThinkingPart{std::move(text), std::move(draft.encrypted), std::move(draft.id)}});
  } else if (type == "item_reference") {
    return cursor_.fail("the item itself instead of an item_reference: weir stores no answers");
  } else {
    unknown_.push_back(type);
  }
  return true;
}

bool ItemDecoder::read_content(std::vector<Part>& into) {
  const char first = cursor_.peek();
  if (first == '"') {
    Text text;
    if (!read_text(cursor_, text)) return false;
    into.push_back({TextPart{std::move(text), {}}});
    return true;
  }
  if (first != '[' && first != 'n') return cursor_.fail("content as a string or a list of parts");
  return each_element(cursor_, [&] { return read_part(into); });
}

bool ItemDecoder::read_part(std::vector<Part>& into) {
  Text type, text, image, detail, file_id, file_data, file_url, filename;
  std::vector<Citation> citations;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key == "text" || key == "refusal") return read_text(cursor_, text);
    if (key == "image_url") return read_text(cursor_, image);
    if (key == "detail") return read_text(cursor_, detail);
    if (key == "file_id") return read_text(cursor_, file_id);
    if (key == "file_data") return read_text(cursor_, file_data);
    if (key == "file_url") return read_text(cursor_, file_url);
    if (key == "filename") return read_text(cursor_, filename);
    return key == "annotations" ? read_annotations(citations) : cursor_.skip_value();
  });
  if (!read) return false;
  const Text by_id = std::move(file_id);
  const auto media = [&by_id](const Text& url) -> std::optional<Media> {
    if (!url.empty()) return media_of_url(url);
    if (by_id.empty()) return std::nullopt;
    return Media{Media::Source::file_id, {}, by_id};
  };
  if (type == "input_text" || type == "output_text" || type == "text") {
    into.push_back({TextPart{std::move(text), std::move(citations)}});
  } else if (type == "input_image") {
    std::optional<Media> found = media(image);
    if (!found) return cursor_.fail("an input_image with an image_url, as a URL or as a data URL in base64");
    into.push_back({ImagePart{std::move(*found), std::move(detail)}});
  } else if (type == "input_file") {
    std::optional<Media> found = media(file_data.empty() ? file_url : file_data);
    if (!found) return cursor_.fail("an input_file with file_data (a data URL), file_url or file_id");
    into.push_back({DocumentPart{std::move(*found), std::move(filename), false}});
  } else if (type == "refusal") {
    into.push_back({RefusalPart{std::move(text)}});
  } else if (type == "reasoning_text" || type == "summary_text") {
    into.push_back({ThinkingPart{std::move(text), {}, {}}});
  } else if (type.empty()) {
    return cursor_.fail("a part with a type");
  } else {
    unknown_.push_back(type);
  }
  return true;
}

bool ItemDecoder::read_annotations(std::vector<Citation>& into) {
  return each_element(cursor_, [&] { return read_citation(cursor_, into.emplace_back()); });
}

bool ItemDecoder::read_summary(Text& into) {
  std::vector<Part> parts;
  if (!read_content(parts)) return false;
  if (parts.size() == 1 && parts.front().as<ThinkingPart>() != nullptr) {
    into = std::move(parts.front().as<ThinkingPart>()->text);
    return true;
  }
  std::string whole;
  for (const Part& part : parts) {
    const auto* thinking = part.as<ThinkingPart>();
    if (thinking == nullptr) continue;
    if (!whole.empty()) whole += "\n\n";
    thinking->text.append_plain(whole);
  }
  into = Text::owned(std::move(whole));
  return true;
}

bool read_citation(json::Cursor& cursor, Citation& into) {
  return each_member(cursor, [&](std::string_view key) {
    if (key == "url") return read_text(cursor, into.url);
    if (key == "title") return read_text(cursor, into.title);
    if (key == "start_index") return read_integer(cursor, into.start);
    return key == "end_index" ? read_integer(cursor, into.end) : cursor.skip_value();
  });
}

}  // namespace weir::openai_responses
