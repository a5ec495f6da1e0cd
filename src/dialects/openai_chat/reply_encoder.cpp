#include "dialects/openai_chat/reply_encoder.hpp"

#include <algorithm>

#include "dialects/openai_chat/message_encoder.hpp"
#include "dialects/openai_chat/reply_decoder.hpp"
#include "dialects/vocabulary/media.hpp"

namespace weir::openai_chat {
namespace {

using namespace vocabulary;

void encode_reasoning(Writer& out, const std::vector<Part>& parts) {
  std::string& to = out.target();
  bool open = false;
  for (const Part& part : parts) {
    const auto* thinking = part.as<ThinkingPart>();
    if (thinking == nullptr || thinking->text.empty()) continue;
    if (!open) out.key("reasoning_content");
    if (!open) to += '"';
    open = true;
    thinking->text.append_escaped(to);
  }
  if (open) to += '"';
  encode_thinking_blocks(out, parts);
}

void encode_annotations(Writer& out, const std::vector<Part>& parts) {
  bool open = false;
  for (const Part& part : parts) {
    const auto* text = part.as<TextPart>();
    if (text == nullptr) continue;
    for (const Citation& citation : text->citations) {
      if (citation.url.empty()) continue;  // OpenAI knows citations of pages only
      if (!open) out.key("annotations").open_array();
      open = true;
      encode_annotation(out, citation);
    }
  }
  if (open) out.close_array();
}

void encode_images(Writer& out, const std::vector<Part>& parts) {
  bool open = false;
  for (const Part& part : parts) {
    const auto* image = part.as<ImagePart>();
    if (image == nullptr) continue;
    if (!open) out.key("images").open_array();
    open = true;
    out.open_object();
    out.key("type").string("image_url");
    out.key("image_url").open_object();
    append_url(image->media, out.key("url").target());
    out.close_object();
    out.close_object();
  }
  if (open) out.close_array();
}

void encode_choice(Writer& out, const Choice& choice) {
  const bool calls = std::any_of(choice.parts.begin(), choice.parts.end(),
                                 [](const Part& part) { return part.as<ToolCallPart>() != nullptr; });
  out.open_object();
  out.key("index").integer(choice.index);
  out.key("message").open_object();
  out.key("role").string("assistant");
  encode_text_content(out, choice.parts);
  out.key("refusal");
  const auto refusal = std::find_if(choice.parts.begin(), choice.parts.end(),
                                    [](const Part& part) { return part.as<RefusalPart>() != nullptr; });
  refusal == choice.parts.end() ? out.raw("null") : out.text(refusal->as<RefusalPart>()->text);
  encode_reasoning(out, choice.parts);
  encode_annotations(out, choice.parts);
  encode_images(out, choice.parts);
  encode_tool_calls(out, choice.parts);
  out.close_object();
  out.key("logprobs").raw(choice.logprobs.empty() ? "null" : choice.logprobs);
  out.key("finish_reason")
      .string(choice.finish == Finish::unset && calls ? name_of(Finish::tool_calls) : name_of(choice.finish));
  out.close_object();
}

}  // namespace

void encode_usage(Writer& out, const UsageReport& report) {
  const Usage& usage = report.usage;
  const UsageDetails& details = report.details;
  out.open_object();
  out.key("prompt_tokens").integer(usage.prompt());
  out.key("completion_tokens").integer(usage.output);
  out.key("total_tokens").integer(usage.prompt() + usage.output);
  out.key("prompt_tokens_details").open_object();
  out.key("cached_tokens").integer(usage.cache_read);
  if (usage.cache_write > 0) out.key("cache_write_tokens").integer(usage.cache_write);
  out.key("audio_tokens").integer(details.audio_input);
  out.close_object();
  out.key("completion_tokens_details").open_object();
  out.key("reasoning_tokens").integer(usage.reasoning);
  out.key("audio_tokens").integer(details.audio_output);
  out.key("accepted_prediction_tokens").integer(details.accepted_prediction);
  out.key("rejected_prediction_tokens").integer(details.rejected_prediction);
  out.close_object();
  out.close_object();
}

void encode_annotation(Writer& out, const Citation& citation) {
  out.open_object();
  out.key("type").string("url_citation");
  out.key("url_citation").open_object();
  out.key("url").text(citation.url);
  out.key("title").text(citation.title);
  out.key("start_index").integer(std::max<std::int64_t>(citation.start, 0));
  out.key("end_index").integer(std::max<std::int64_t>(citation.end, 0));
  out.close_object();
  out.close_object();
}

void encode_reply(const ChatReply& reply, const ReplyContext& context, std::string& to) {
  Writer out(to);
  out.open_document();
  out.key("id");
  reply.id.empty() ? out.string(context.call_id) : out.text(reply.id);
  out.key("object").string("chat.completion");
  out.key("created").integer(reply.created > 0 ? reply.created : context.created);
  out.key("model");
  reply.model.empty() ? out.string(context.model) : out.text(reply.model);
  out.key("choices").open_array();
  for (const Choice& choice : reply.choices) encode_choice(out, choice);
  out.close_array();
  if (reply.usage.usage.reported) encode_usage(out.key("usage"), reply.usage);
  out.text_member("service_tier", reply.service_tier);
  out.text_member("system_fingerprint", reply.system_fingerprint);
  out.close_object();
}

}  // namespace weir::openai_chat
