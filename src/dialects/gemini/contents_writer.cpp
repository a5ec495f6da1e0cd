#include "dialects/gemini/contents_writer.hpp"

#include <utility>

#include <fmt/format.h>

#include "dialects/gemini/request_writer.hpp"
#include "dialects/json/object_text.hpp"
#include "dialects/json/writing.hpp"

namespace weir::gemini {
namespace {

using namespace vocabulary;

/// Google's documented value for calls in the history that another model made; Gemini 3 refuses a call without one.
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

bool is_system(Role role) {
  return role == Role::system || role == Role::developer;
}

std::string_view role_name(Role role) {
  return role == Role::assistant ? "model" : "user";
}

}  // namespace

/// One element of `contents`, opened by its first part: a message that says nothing makes no turn.
struct ContentsWriter::Turn {
  json::Elements& contents;
  std::string& to;
  std::string_view role;
  std::optional<json::Elements> parts;
  bool called = false;

  std::string& next_part() {
    if (!parts) {
      contents.next() += "{\"role\":\"";
      to.append(role).append("\",\"parts\":");
      parts.emplace(to);
    }
    return parts->next();
  }
  void close() {
    if (!parts) return;
    parts->close();
    to += '}';
  }
};

ContentsWriter::ContentsWriter(const ChatRequest& request, const TargetTraits& target, Dropped& dropped,
                               std::string& to)
    : request_{request},
      target_{target},
      dropped_{dropped},
      to_{to},
      third_generation_{is_third_generation(target.model)} {}

void ContentsWriter::refuse(std::string message, std::string param) {
  if (!refusal_) refusal_ = Refusal{.message = std::move(message), .param = std::move(param), .code = {}};
}

bool ContentsWriter::write_system() {
  std::optional<json::Elements> parts;
  for (const Message& message : request_.messages) {
    if (!is_system(message.role)) continue;
    for (const Part& part : message.parts) {
      if (part.cache) dropped_.add("cache_control");
      const auto* text = part.as<TextPart>();
      if (text == nullptr) {
        refuse("A system message for Gemini may hold only text.", "messages");
      } else if (!text->text.empty()) {
        if (!parts) {
          to_ += "{\"parts\":";
          parts.emplace(to_);
        }
        parts->next() += "{\"text\":";
        text->text.append_quoted(to_);
        to_ += '}';
      }
    }
  }
  if (!parts) return false;
  parts->close();
  to_ += '}';
  return true;
}

void ContentsWriter::write_contents() {
  json::Elements contents{to_};
  const auto& messages = request_.messages;
  bool any = false;
  for (std::size_t i = 0; i < messages.size();) {
    const Role role = messages[i].role;
    if (is_system(role)) {
      ++i;
      continue;
    }
    Turn turn{.contents = contents, .to = to_, .role = role_name(role), .parts = {}};
    // Messages of one role in a row are one turn; results apart from what the user says next, because Gemini counts
    // them against the calls before.
    for (; i < messages.size() && (messages[i].role == role || is_system(messages[i].role)); ++i) {
      if (is_system(messages[i].role)) continue;
      if (!messages[i].name.empty()) dropped_.add("messages.name");
      for (const Part& part : messages[i].parts) write_part(part, role, turn);
    }
    any = any || turn.parts;
    turn.close();
  }
  contents.close();
  if (!any) refuse("Gemini needs at least one message that is not a system message.", "messages");
}

void ContentsWriter::write_part(const Part& part, Role role, Turn& turn) {
  if (part.cache) dropped_.add("cache_control");
  if (const auto* text = part.as<TextPart>()) {
    if (!text->citations.empty()) dropped_.add("citations");
    write_text(text->text, turn);
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    write_text(refusal->text, turn);
  } else if (const auto* image = part.as<ImagePart>()) {
    if (!target_.images) refuse(fmt::format("The model {} does not take images.", target_.model), "messages");
    if (!image->detail.empty() && !(image->detail == "auto")) dropped_.add("image_url.detail");
    write_media(image->media, turn);
  } else if (const auto* document = part.as<DocumentPart>()) {
    if (!target_.documents) refuse(fmt::format("The model {} does not take documents.", target_.model), "messages");
    if (document->citations) dropped_.add("citations");
    if (!document->name.empty()) dropped_.add("document.name");
    write_media(document->media, turn);
  } else if (const auto* audio = part.as<AudioPart>()) {
    write_media(audio->media, turn);
  } else if (const auto* call = part.as<ToolCallPart>()) {
    write_call(*call, turn);
  } else if (const auto* result = part.as<ToolResultPart>()) {
    write_result(*result, turn);
  } else if (const auto* thinking = part.as<ThinkingPart>()) {
    if (role == Role::assistant) write_thinking(*thinking, turn);
  } else {
    dropped_.add("redacted_thinking");
  }
}

/// An empty text is refused by Gemini and says nothing.
void ContentsWriter::write_text(const Text& text, Turn& turn) {
  if (text.empty()) return;
  turn.next_part() += "{\"text\":";
  text.append_quoted(to_);
  to_ += '}';
}

void ContentsWriter::write_media(const Media& media, Turn& turn) {
  if (media.source == Media::Source::text) return write_text(media.data, turn);
  turn.next_part();
  append_media(media);
}

/// `{"inlineData":…}` or `{"fileData":…}`.
void ContentsWriter::append_media(const Media& media) {
  if (media.source == Media::Source::base64) {
    if (media.media_type.empty()) refuse("Data in base64 needs its media type.", "messages");
    to_ += "{\"inlineData\":{\"mimeType\":";
    media.media_type.append_quoted(to_);
    to_ += ",\"data\":";
    media.data.append_quoted(to_);
    to_ += "}}";
    return;
  }
  // A file's own id is none that Google knows, unless it is a URI of its Files API or a bucket.
  if (media.source == Media::Source::url && !target_.image_urls) {
    refuse(
        "This model takes no URLs: send the data in base64. weir fetches nothing but images, from the hosts of "
        "fetch_images.",
        "messages");
  }
  to_ += "{\"fileData\":{";
  if (!media.media_type.empty()) {
    to_ += "\"mimeType\":";
    media.media_type.append_quoted(to_);
    to_ += ',';
  }
  to_ += "\"fileUri\":";
  media.data.append_quoted(to_);
  to_ += "}}";
}

void ContentsWriter::write_call(const ToolCallPart& call, Turn& turn) {
  const std::string arguments = call.arguments.empty() ? "{}" : call.arguments.str();
  if (!json::is_object(arguments)) refuse("The arguments of a tool call must be a JSON object.", "messages");
  json::Members part{turn.next_part()};
  json::Members function{part["functionCall"]};
  if (!call.id.empty()) call.id.append_quoted(function["id"]);
  call.name.append_quoted(function["name"]);
  function["args"] += arguments;
  function.close();
  // Of parallel calls only the first one has a signature.
  const bool first = !std::exchange(turn.called, true);
  if (!call.signature.empty()) {
    call.signature.append_quoted(part["thoughtSignature"]);
  } else if (first && third_generation_) {
    part["thoughtSignature"].append(1, '"').append(kNoSignature).append(1, '"');
  }
  part.close();
}

void ContentsWriter::write_result(const ToolResultPart& result, Turn& turn) {
  const Text& name = result.name.empty() ? tool_name_of(request_, result.call_id) : result.name;
  if (name.empty()) refuse("A tool result answers a call that is not in the conversation.", "messages");
  std::vector<const Media*> media;
  json::Members part{turn.next_part()};
  json::Members response{part["functionResponse"]};
  if (!result.call_id.empty()) result.call_id.append_quoted(response["id"]);
  name.append_quoted(response["name"]);
  json::Members said{response["response"]};
  said[result.is_error ? "error" : "output"] += '"';
  for (const Part& content : result.content) {
    if (content.cache) dropped_.add("cache_control");
    if (const auto* text = content.as<TextPart>()) {
      text->text.append_escaped(to_);
    } else if (const auto* image = content.as<ImagePart>()) {
      media.push_back(&image->media);
    } else if (const auto* document = content.as<DocumentPart>()) {
      if (document->media.source == Media::Source::text) {
        document->media.data.append_escaped(to_);
      } else {
        media.push_back(&document->media);
      }
    }
  }
  to_ += '"';
  said.close();
  if (third_generation_ && !media.empty()) {
    json::Elements parts{response["parts"]};
    for (const Media* one : media) {
      parts.next();
      append_media(*one);
    }
    parts.close();
    media.clear();
  }
  response.close();
  part.close();
  for (const Media* one : media) write_media(*one, turn);  // earlier models take it beside the response only
}

void ContentsWriter::write_thinking(const ThinkingPart& thinking, Turn& turn) {
  if (thinking.text.empty() && thinking.signature.empty()) return;
  json::Members part{turn.next_part()};
  thinking.text.append_quoted(part["text"]);
  // A signature without a text came with the answer's own text, not with a thought.
  if (!thinking.text.empty()) part["thought"] += "true";
  if (!thinking.signature.empty()) thinking.signature.append_quoted(part["thoughtSignature"]);
  part.close();
}

}  // namespace weir::gemini
