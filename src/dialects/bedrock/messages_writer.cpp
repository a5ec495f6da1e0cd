#include "dialects/bedrock/messages_writer.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "dialects/bedrock/request_writer.hpp"
#include "dialects/json/object_text.hpp"

namespace weir::bedrock {
namespace {

using namespace vocabulary;

bool is_system(Role role) {
  return role == Role::system || role == Role::developer;
}

std::string_view role_name(Role role) {
  return role == Role::assistant ? "assistant" : "user";
}

using Format = std::pair<std::string_view, std::string_view>;  // media type, Bedrock's name
constexpr auto kImages = std::to_array<Format>({{"image/png", "png"},
                                                {"image/jpeg", "jpeg"},
                                                {"image/jpg", "jpeg"},
                                                {"image/gif", "gif"},
                                                {"image/webp", "webp"}});
constexpr auto kDocuments =
    std::to_array<Format>({{"application/pdf", "pdf"},
                           {"text/csv", "csv"},
                           {"application/msword", "doc"},
                           {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
                           {"application/vnd.ms-excel", "xls"},
                           {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
                           {"text/html", "html"},
                           {"text/plain", "txt"},
                           {"text/markdown", "md"}});

std::string_view format_of(const Text& media_type, std::span<const Format> formats) {
  const auto at = std::ranges::find_if(formats, [&](const Format& format) { return media_type == format.first; });
  return at == formats.end() ? std::string_view{} : at->second;
}

/// Bedrock takes few characters in a document's name, and no two documents of one name.
std::string document_name(const Text& given, int number) {
  std::string name;
  for (const char c : given.str().substr(0, 150)) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '(' || c == ')' || c == '[' || c == ']';
    if (fine) {
      name += c;
    } else if (!name.empty() && name.back() != ' ') {
      name += ' ';  // several in a row are refused too
    }
  }
  while (name.ends_with(' ')) name.pop_back();
  return name.empty() ? fmt::format("document {}", number) : fmt::format("{} ({})", name, number);
}

}  // namespace

/// One message, opened by its first block: one that says nothing is left out.
struct MessagesWriter::Turn {
  json::Elements& messages;
  std::string& to;
  std::string_view role;
  std::optional<json::Elements> blocks;

  std::string& next_block() {
    if (!blocks) {
      messages.next() += "{\"role\":\"";
      to.append(role).append("\",\"content\":");
      blocks.emplace(to);
    }
    return blocks->next();
  }
  void close() {
    if (!blocks) return;
    blocks->close();
    to += '}';
  }
};

MessagesWriter::MessagesWriter(const ChatRequest& request, const TargetTraits& target, Dropped& dropped,
                               std::string& to)
    : request_{request}, target_{target}, dropped_{dropped}, to_{to} {}

void MessagesWriter::refuse(std::string message) {
  if (!refusal_) refusal_ = Refusal{.message = std::move(message), .param = "messages", .code = {}};
}

bool MessagesWriter::write_system() {
  json::Elements blocks{to_};
  bool any = false;
  for (const Message& message : request_.messages) {
    if (!is_system(message.role)) continue;
    for (const Part& part : message.parts) {
      const auto* text = part.as<TextPart>();
      if (text == nullptr) {
        refuse("A system message for Bedrock may hold only text.");
      } else if (!text->text.empty()) {
        any = true;
        blocks.next();
        append_text(text->text);
        if (part.cache) {
          blocks.next();
          append_cache_point(*part.cache);
        }
      }
    }
  }
  blocks.close();
  return any;
}

void MessagesWriter::write_messages() {
  json::Elements messages{to_};
  const auto& all = request_.messages;
  bool any = false;
  for (std::size_t i = 0; i < all.size();) {
    if (is_system(all[i].role)) {
      ++i;
      continue;
    }
    Turn turn{.messages = messages, .to = to_, .role = role_name(all[i].role), .blocks = {}};
    for (; i < all.size() && (is_system(all[i].role) || role_name(all[i].role) == turn.role); ++i) {
      if (is_system(all[i].role)) continue;
      if (!all[i].name.empty()) dropped_.add("messages.name");
      for (const Part& part : all[i].parts) {
        write_part(part, turn);
        if (!part.cache || !turn.blocks) continue;
        turn.next_block();
        append_cache_point(*part.cache);
      }
    }
    any = any || turn.blocks;
    turn.close();
  }
  messages.close();
  if (!any) refuse("Bedrock needs at least one message that is not a system message.");
}

void MessagesWriter::write_part(const Part& part, Turn& turn) {
  if (const auto* text = part.as<TextPart>()) {
    if (!text->citations.empty()) dropped_.add("citations");
    if (text->text.empty()) return;  // refused by Bedrock, and says nothing
    turn.next_block();
    append_text(text->text);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    if (refusal->text.empty()) return;
    turn.next_block();
    append_text(refusal->text);
  } else if (const auto* image = part.as<ImagePart>()) {
    turn.next_block();
    append_image(*image);
  } else if (const auto* document = part.as<DocumentPart>()) {
    turn.next_block();
    append_document(*document);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    write_call(*call, turn);
  } else if (const auto* result = part.as<ToolResultPart>()) {
    write_result(*result, turn);
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    write_thinking(*thinking, turn);
  } else if (const auto* redacted = part.as<RedactedThinkingPart>()) {
    turn.next_block() += "{\"reasoningContent\":{\"redactedContent\":";
    redacted->data.append_quoted(to_);
    to_ += "}}";
  } else {
    refuse("Bedrock's Converse takes no audio from this dialect: leave it out or choose another model.");
  }
}

void MessagesWriter::append_text(const Text& text) {
  to_ += "{\"text\":";
  text.append_quoted(to_);
  to_ += '}';
}

void MessagesWriter::append_source(const Media& media) {
  if (media.source == Media::Source::base64) {
    to_ += "{\"bytes\":";
    media.data.append_quoted(to_);
    to_ += '}';
    return;
  }
  if (!media.data.str().starts_with("s3://")) {
    refuse(
        "Bedrock takes no URLs but s3://: send the data in base64. weir fetches nothing but images, from the hosts of "
        "fetch_images.");
  }
  to_ += "{\"s3Location\":{\"uri\":";
  media.data.append_quoted(to_);
  to_ += "}}";
}

void MessagesWriter::append_image(const ImagePart& image) {
  if (!target_.images) refuse(fmt::format("The model {} does not take images.", target_.model));
  if (!image.detail.empty() && !(image.detail == "auto")) dropped_.add("image_url.detail");
  auto format = format_of(image.media.media_type, kImages);
  if (image.media.media_type.empty()) {
    // An address in S3 comes without a type; its name has one.
    const std::string name = image.media.data.str().substr(0, 2048);
    for (const auto& [type, known] : kImages) {
      if (name.ends_with("." + std::string{type.substr(6)})) format = known;
    }
  }
  if (format.empty()) {
    const bool url = image.media.source == Media::Source::url;
    refuse(url && !image.media.data.str().starts_with("s3://")
               ? "Bedrock takes no URLs but s3://: send the data in base64. weir fetches nothing but images, from the "
                 "hosts of fetch_images."
               : "Bedrock takes images as PNG, JPEG, GIF or WebP.");
  }
  to_.append("{\"image\":{\"format\":\"").append(format).append("\",\"source\":");
  append_source(image.media);
  to_ += "}}";
}

void MessagesWriter::append_document(const DocumentPart& document) {
  if (!target_.documents) refuse(fmt::format("The model {} does not take documents.", target_.model));
  const bool text = document.media.source == Media::Source::text;
  auto format = text ? std::string_view{"txt"} : format_of(document.media.media_type, kDocuments);
  if (format.empty() && document.media.source == Media::Source::url && document.media.data.str().ends_with(".pdf")) {
    format = "pdf";
  }
  if (format.empty()) refuse("Bedrock takes documents as PDF, CSV, DOC, DOCX, XLS, XLSX, HTML, text or Markdown.");
  to_.append("{\"document\":{\"format\":\"").append(format).append("\",\"name\":\"");
  to_.append(document_name(document.name, ++documents_)).append("\",\"source\":");
  if (text) {
    append_text(document.media.data);
  } else {
    append_source(document.media);
  }
  if (document.citations) to_ += ",\"citations\":{\"enabled\":true}";
  to_ += "}}";
}

void MessagesWriter::append_cache_point(const CacheControl& cache) {
  to_ += "{\"cachePoint\":{\"type\":\"default\"";
  if (cache.ttl == "1h") to_ += ",\"ttl\":\"1h\"";
  to_ += "}}";
}

void MessagesWriter::write_call(const ToolCallPart& call, Turn& turn) {
  const std::string arguments = call.arguments.empty() ? "{}" : call.arguments.str();
  if (!json::is_object(arguments)) refuse("The arguments of a tool call must be a JSON object.");
  turn.next_block() += "{\"toolUse\":{\"toolUseId\":";
  call.id.append_quoted(to_);
  to_ += ",\"name\":";
  call.name.append_quoted(to_);
  to_.append(",\"input\":").append(arguments).append("}}");
}

void MessagesWriter::write_result(const ToolResultPart& result, Turn& turn) {
  turn.next_block() += "{\"toolResult\":{\"toolUseId\":";
  result.call_id.append_quoted(to_);
  to_ += ",\"content\":";
  json::Elements contents{to_};
  for (const Part& part : result.content) {
    if (part.cache) dropped_.add("cache_control");
    if (const auto* text = part.as<TextPart>()) {
      if (text->text.empty()) continue;
      contents.next();
      append_text(text->text);
    } else if (const auto* image = part.as<ImagePart>()) {
      contents.next();
      append_image(*image);
    } else if (const auto* document = part.as<DocumentPart>()) {
      contents.next();
      append_document(*document);
    }
  }
  contents.close();
  if (result.is_error) to_ += ",\"status\":\"error\"";
  to_ += "}}";
}

void MessagesWriter::write_thinking(const ThinkingPart& thinking, Turn& turn) {
  // Anthropic refuses thoughts that do not carry its signature: they are another model's.
  if (thinking.text.empty() || (thinking.signature.empty() && is_claude(target_.model))) {
    dropped_.add("reasoning_content");
    return;
  }
  turn.next_block() += "{\"reasoningContent\":{\"reasoningText\":{\"text\":";
  thinking.text.append_quoted(to_);
  if (!thinking.signature.empty()) {
    to_ += ",\"signature\":";
    thinking.signature.append_quoted(to_);
  }
  to_ += "}}}";
}

}  // namespace weir::bedrock
