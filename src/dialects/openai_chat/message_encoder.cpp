#include "dialects/openai_chat/message_encoder.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "dialects/vocabulary/media.hpp"

namespace weir::openai_chat {
namespace {

using namespace vocabulary;

template <class Kind>
bool holds(const std::vector<Part>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.as<Kind>() != nullptr; });
}

bool only_text(const std::vector<Part>& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.as<TextPart>() != nullptr; });
}

std::string_view audio_format(const Text& media_type) {
  if (media_type == "audio/mp3" || media_type == "audio/mpeg") return "mp3";
  return media_type == "audio/wav" || media_type == "audio/x-wav" ? "wav" : "";
}

}  // namespace

std::optional<Refusal> MessageEncoder::encode(const std::vector<Message>& messages) {
  out_.key("messages").open_array();
  for (const Message& message : messages) {
    if (message.role != Role::tool) flush_pictures();
    encode_message(message);
  }
  flush_pictures();
  out_.close_array();
  return std::move(refusal_);
}

void MessageEncoder::encode_message(const Message& message) {
  for (const Part& part : message.parts) {
    if (part.cache) dropped_.add("cache_control");
  }
  if (message.role == Role::tool) return encode_results(message);
  if (message.role == Role::assistant) return encode_assistant(message);
  out_.open_object();
  std::string_view role = "user";
  if (message.role == Role::system) role = "system";
  if (message.role == Role::developer) role = target_.developer_role ? "developer" : "system";
  out_.key("role").string(role);
  encode_content(message.parts);
  out_.text_member("name", message.name);
  out_.close_object();
}

void MessageEncoder::encode_assistant(const Message& message) {
  out_.open_object();
  out_.key("role").string("assistant");
  encode_text_content(out_, message.parts);
  for (const Part& part : message.parts) {
    if (const auto* refusal = part.as<RefusalPart>()) out_.key("refusal").text(refusal->text);
    if (part.as<ImagePart>() != nullptr) refuse("An image in an assistant's message has no place in chat completions.");
  }
  if (holds<ThinkingPart>(message.parts) || holds<RedactedThinkingPart>(message.parts)) {
    if (target_.reasoning_content) {
      std::string whole;
      for (const Part& part : message.parts) {
        if (const auto* thinking = part.as<ThinkingPart>()) thinking->text.append_plain(whole);
      }
      out_.key("reasoning_content").string(whole);
    } else {
      dropped_.add("thinking");
    }
  }
  encode_tool_calls(out_, message.parts);
  out_.text_member("name", message.name);
  out_.close_object();
}

void MessageEncoder::encode_results(const Message& message) {
  for (const Part& part : message.parts) {
    const auto* result = part.as<ToolResultPart>();
    if (result == nullptr) continue;
    if (result->is_error) dropped_.add("is_error");
    std::vector<const Part*> texts;
    bool pictures = false;
    for (const Part& piece : result->content) {
      if (piece.as<TextPart>() != nullptr) {
        texts.push_back(&piece);
      } else {
        pictures_.push_back(&piece);
        pictures = true;
      }
    }
    out_.open_object();
    out_.key("role").string("tool");
    out_.key("tool_call_id").text(result->call_id);
    if (texts.size() == 1) {
      out_.key("content").text(texts.front()->as<TextPart>()->text);
    } else if (texts.empty()) {
      out_.key("content").string(pictures ? "(see the next message)" : "");
    } else {
      out_.key("content").open_array();
      for (const Part* piece : texts) encode_part(*piece);
      out_.close_array();
    }
    out_.close_object();
  }
}

/// A tool message takes text only, and must follow its call directly: pictures come after the last of them.
void MessageEncoder::flush_pictures() {
  if (pictures_.empty()) return;
  out_.open_object();
  out_.key("role").string("user");
  out_.key("content").open_array();
  for (const Part* picture : std::exchange(pictures_, {})) encode_part(*picture);
  out_.close_array();
  out_.close_object();
}

void MessageEncoder::encode_content(const std::vector<Part>& parts) {
  if (parts.size() <= 1 && only_text(parts)) {
    out_.key("content").text(parts.empty() ? Text{} : parts.front().as<TextPart>()->text);
    return;
  }
  out_.key("content").open_array();
  for (const Part& part : parts) encode_part(part);
  out_.close_array();
}

void MessageEncoder::encode_part(const Part& part) {
  if (const auto* text = part.as<TextPart>()) {
    out_.open_object();
    out_.key("type").string("text");
    out_.key("text").text(text->text);
    out_.close_object();
  } else if (const auto* document = part.as<DocumentPart>()) {
    encode_document(*document);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    out_.open_object();
    out_.key("type").string("refusal");
    out_.key("refusal").text(refusal->text);
    out_.close_object();
  } else {
    encode_media_part(part);
  }
}

void MessageEncoder::encode_media_part(const Part& part) {
  if (const auto* image = part.as<ImagePart>()) {
    const bool url = image->media.source == Media::Source::url;
    if (!target_.images) return refuse("The chosen model takes no images.");
    if (url && !target_.image_urls) return refuse("The chosen model takes images in base64 only, not by URL.");
    if (!url && image->media.source != Media::Source::base64) {
      return refuse("An image by file id cannot go to another provider: send it in base64.");
    }
    out_.open_object();
    out_.key("type").string("image_url");
    out_.key("image_url").open_object();
    append_url(image->media, out_.key("url").target());
    out_.text_member("detail", image->detail);
    out_.close_object();
    out_.close_object();
  } else if (const auto* audio = part.as<AudioPart>()) {
    const std::string_view format = audio_format(audio->media.media_type);
    if (format.empty() || audio->media.source != Media::Source::base64) {
      return refuse("Chat completions take sound as wav or mp3 in base64 only.");
    }
    out_.open_object();
    out_.key("type").string("input_audio");
    out_.key("input_audio").open_object();
    out_.key("data").text(audio->media.data);
    out_.key("format").string(format);
    out_.close_object();
    out_.close_object();
  } else {
    dropped_.add("thinking");  // outside an assistant's message
  }
}

void MessageEncoder::encode_document(const DocumentPart& part) {
  if (part.citations) dropped_.add("citations");
  if (part.media.source == Media::Source::text) {
    out_.open_object();
    out_.key("type").string("text");
    out_.key("text").text(part.media.data);
    out_.close_object();
    return;
  }
  if (!target_.documents) return refuse("The chosen model takes no documents.");
  if (part.media.source != Media::Source::base64) {
    return refuse("A document by URL or file id cannot go to this provider: send it in base64.");
  }
  out_.open_object();
  out_.key("type").string("file");
  out_.key("file").open_object();
  if (part.name.empty()) {
    out_.key("filename").string("document.pdf");
  } else {
    out_.key("filename").text(part.name);
  }
  append_url(part.media, out_.key("file_data").target());
  out_.close_object();
  out_.close_object();
}

void MessageEncoder::refuse(std::string message) {
  if (!refusal_) refusal_ = Refusal{.message = std::move(message), .param = "messages", .code = {}};
}

void encode_text_content(Writer& out, const std::vector<Part>& parts) {
  out.key("content");
  if (!holds<TextPart>(parts)) return out.raw("null");
  std::string& to = out.target();
  to += '"';
  for (const Part& part : parts) {
    if (const auto* text = part.as<TextPart>()) text->text.append_escaped(to);
  }
  to += '"';
}

void encode_tool_calls(Writer& out, const std::vector<Part>& parts) {
  if (!holds<ToolCallPart>(parts)) return;
  out.key("tool_calls").open_array();
  for (const Part& part : parts) {
    const auto* call = part.as<ToolCallPart>();
    if (call == nullptr) continue;
    out.open_object();
    out.key("id").text(call->id);
    out.key("type").string("function");
    out.key("function").open_object();
    out.key("name").text(call->name);
    out.key("arguments");
    if (call->arguments.empty()) {
      out.string("{}");
    } else {
      out.text(call->arguments);
    }
    out.close_object();
    if (!call->signature.empty()) {
      out.key("extra_content").open_object();
      out.key("google").open_object();
      out.key("thought_signature").text(call->signature);
      out.close_object();
      out.close_object();
    }
    out.close_object();
  }
  out.close_array();
}

void encode_thinking_blocks(Writer& out, const std::vector<Part>& parts) {
  const bool worth = std::any_of(parts.begin(), parts.end(), [](const Part& part) {
    const auto* thinking = part.as<ThinkingPart>();
    return part.as<RedactedThinkingPart>() != nullptr || (thinking != nullptr && !thinking->signature.empty());
  });
  if (!worth) return;
  out.key("thinking_blocks").open_array();
  for (const Part& part : parts) {
    if (const auto* thinking = part.as<ThinkingPart>()) {
      out.open_object();
      out.key("type").string("thinking");
      out.key("thinking").text(thinking->text);
      out.key("signature").text(thinking->signature);
      out.close_object();
    } else if (const auto* redacted = part.as<RedactedThinkingPart>()) {
      out.open_object();
      out.key("type").string("redacted_thinking");
      out.key("data").text(redacted->data);
      out.close_object();
    }
  }
  out.close_array();
}

}  // namespace weir::openai_chat
