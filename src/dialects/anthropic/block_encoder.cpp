#include "dialects/anthropic/block_encoder.hpp"

#include <algorithm>
#include <utility>

#include "dialects/json/cursor.hpp"

namespace weir::anthropic {

using namespace vocabulary;

namespace {

constexpr std::size_t kMarkersMax = 4;

bool is_system(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

}  // namespace

std::optional<Refusal> BlockEncoder::encode(const std::vector<Message>& messages) {
  if (std::all_of(messages.begin(), messages.end(), is_system)) {
    return Refusal{.message = "Anthropic's API needs at least one message that is not a system message.",
                   .param = "messages",
                   .code = {}};
  }
  encode_system(messages);
  encode_messages(messages);
  return std::move(refusal_);
}

void BlockEncoder::encode_system(const std::vector<Message>& messages) {
  std::vector<const Part*> parts;
  for (const Message& message : messages) {
    if (!is_system(message)) continue;
    for (const Part& part : message.parts) {
      const auto* text = part.as<TextPart>();
      if (text == nullptr) {
        refuse("A system message takes text only.");
      } else if (!text->text.empty()) {
        parts.push_back(&part);
      }
    }
  }
  if (parts.empty()) return;
  out_.key("system");
  if (parts.size() == 1 && !parts.front()->cache) return out_.text(parts.front()->as<TextPart>()->text);
  out_.open_array();
  for (const Part* part : parts) encode_text(part->as<TextPart>()->text, part->cache);
  out_.close_array();
}

void BlockEncoder::encode_messages(const std::vector<Message>& messages) {
  out_.key("messages").open_array();
  enum class Open { nothing, user, assistant } open = Open::nothing;
  const auto close = [&] {
    if (open == Open::nothing) return;
    out_.close_array();
    out_.close_object();
  };
  for (const Message& message : messages) {
    if (is_system(message)) continue;
    if (!message.name.empty()) dropped_.add("messages.name");
    const Open wanted = message.role == Role::assistant ? Open::assistant : Open::user;
    bool begun = open == wanted;
    for (const Part& part : message.parts) {
      // Nothing is opened for what will not be written: Anthropic refuses empty texts and empty messages.
      const auto* text = part.as<TextPart>();
      if (text != nullptr && text->text.empty()) continue;
      const auto* thinking = part.as<ThinkingPart>();
      if (thinking != nullptr && thinking->signature.empty()) {
        dropped_.add("thinking");
        continue;
      }
      if (!begun) {
        close();
        if (open == Open::nothing && wanted == Open::assistant) {
          out_.raw(R"({"role":"user","content":[{"type":"text","text":"."}]})");  // the first message is the user's
        }
        open = wanted;
        begun = true;
        out_.open_object();
        out_.key("role").string(wanted == Open::assistant ? "assistant" : "user");
        out_.key("content").open_array();
      }
      encode_part(part, wanted == Open::assistant);
    }
  }
  close();
  out_.close_array();
  if (open == Open::nothing) refuse("Anthropic's API needs a message that is not empty.");
}

void BlockEncoder::encode_part(const Part& part, bool assistant) {
  if (const auto* text = part.as<TextPart>()) return encode_text(text->text, part.cache);
  if (const auto* refusal = part.as<RefusalPart>()) return encode_text(refusal->text, part.cache);
  if (const auto* image = part.as<ImagePart>()) {
    if (assistant) return refuse("Anthropic's API takes no images in an assistant's message.");
    return encode_image(*image, part.cache);
  }
  if (const auto* document = part.as<DocumentPart>()) return encode_document(*document, part.cache);
  if (const auto* call = part.as<ToolCallPart>()) return encode_call(*call, part.cache);
  if (const auto* result = part.as<ToolResultPart>()) return encode_result(*result, part.cache);
  if (const auto* thinking = part.as<ThinkingPart>()) return encode_thinking(*thinking);
  if (const auto* redacted = part.as<RedactedThinkingPart>()) {
    out_.open_object();
    out_.key("type").string("redacted_thinking");
    out_.key("data").text(redacted->data);
    return out_.close_object();
  }
  refuse("Anthropic's API takes no sound.");
}

void BlockEncoder::encode_text(const Text& text, const std::optional<CacheControl>& cache) {
  out_.open_object();
  out_.key("type").string("text");
  out_.key("text").text(text);
  encode_cache(cache);
  out_.close_object();
}

void BlockEncoder::encode_cache(const std::optional<CacheControl>& cache) {
  if (!cache) return;
  if (++markers_ > kMarkersMax) return dropped_.add("cache_control");
  out_.key("cache_control").open_object();
  out_.key("type").string("ephemeral");
  out_.text_member("ttl", cache->ttl);
  out_.close_object();
}

void BlockEncoder::encode_source(const Media& media) {
  out_.key("source").open_object();
  switch (media.source) {
    case Media::Source::url:
      out_.key("type").string("url");
      out_.key("url").text(media.data);
      break;
    case Media::Source::text:
      out_.key("type").string("text");
      out_.key("media_type").string("text/plain");
      out_.key("data").text(media.data);
      break;
    case Media::Source::base64:
    case Media::Source::file_id:
      out_.key("type").string("base64");
      out_.key("media_type").text(media.media_type);
      out_.key("data").text(media.data);
      break;
  }
  out_.close_object();
}

void BlockEncoder::encode_image(const ImagePart& image, const std::optional<CacheControl>& cache) {
  if (!target_.images) return refuse("The chosen model takes no images.");
  if (image.media.source == Media::Source::url && !target_.image_urls) {
    return refuse("The chosen model takes images in base64 only, not by URL.");
  }
  if (image.media.source != Media::Source::url && image.media.source != Media::Source::base64) {
    return refuse("An image by file id cannot go to another provider: send it in base64.");
  }
  if (!image.detail.empty() && !(image.detail == "auto")) dropped_.add("detail");
  out_.open_object();
  out_.key("type").string("image");
  encode_source(image.media);
  encode_cache(cache);
  out_.close_object();
}

void BlockEncoder::encode_document(const DocumentPart& document, const std::optional<CacheControl>& cache) {
  if (!target_.documents) return refuse("The chosen model takes no documents.");
  if (document.media.source == Media::Source::file_id) {
    return refuse("A document by file id cannot go to another provider: send it in base64.");
  }
  out_.open_object();
  out_.key("type").string("document");
  encode_source(document.media);
  out_.text_member("title", document.name);
  if (document.citations) out_.key("citations").raw(R"({"enabled":true})");
  encode_cache(cache);
  out_.close_object();
}

void BlockEncoder::encode_call(const ToolCallPart& call, const std::optional<CacheControl>& cache) {
  const std::string input = call.arguments.empty() ? "{}" : call.arguments.str();
  if (!is_object(input)) return refuse("The arguments of a tool call are not a JSON object.");
  if (!call.signature.empty()) dropped_.add("thought_signature");
  out_.open_object();
  out_.key("type").string("tool_use");
  out_.key("id").string(tool_id(call.id));
  out_.key("name").text(call.name);
  out_.key("input").raw(input);
  encode_cache(cache);
  out_.close_object();
}

void BlockEncoder::encode_result(const ToolResultPart& result, const std::optional<CacheControl>& cache) {
  out_.open_object();
  out_.key("type").string("tool_result");
  out_.key("tool_use_id").string(tool_id(result.call_id));
  const auto* only = result.content.size() == 1 ? result.content.front().as<TextPart>() : nullptr;
  if (only != nullptr && !result.content.front().cache) {
    out_.key("content").text(only->text);
  } else if (!result.content.empty()) {
    out_.key("content").open_array();
    for (const Part& part : result.content) {
      const auto* text = part.as<TextPart>();
      if (text == nullptr || !text->text.empty()) encode_part(part, false);
    }
    out_.close_array();
  }
  if (result.is_error) out_.key("is_error").boolean(true);
  encode_cache(cache);
  out_.close_object();
}

void BlockEncoder::encode_thinking(const ThinkingPart& thinking) {
  out_.open_object();
  out_.key("type").string("thinking");
  out_.key("thinking").text(thinking.text);
  out_.key("signature").text(thinking.signature);
  out_.close_object();
}

void BlockEncoder::refuse(std::string message) {
  if (!refusal_) refusal_ = Refusal{.message = std::move(message), .param = "messages", .code = {}};
}

std::string tool_id(const Text& id) {
  std::string plain = id.str();
  for (char& c : plain) {
    const bool taken =
        static_cast<unsigned>((c | 0x20) - 'a') <= 25 || static_cast<unsigned>(c - '0') <= 9 || c == '_' || c == '-';
    if (!taken) c = '_';
  }
  return plain;
}

bool is_object(std::string_view text) {
  json::Cursor cursor(text);
  return cursor.peek() == '{' && cursor.skip_value() && cursor.at_end();
}

}  // namespace weir::anthropic
