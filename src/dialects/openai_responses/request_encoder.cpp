#include "dialects/openai_responses/request_encoder.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "dialects/vocabulary/media.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_responses {
namespace {

using namespace vocabulary;

constexpr std::string_view kNoParameters = R"({"type":"object","properties":{}})";

std::string_view name_of(Reasoning::Effort effort) {
  using enum Reasoning::Effort;
  switch (effort) {
    case unset:
      return "";
    case none:
      return "none";
    case minimal:
      return "minimal";
    case low:
      return "low";
    case medium:
      return "medium";
    case high:
      return "high";
    case maximal:
      return "xhigh";
  }
  return "";
}

class Encoder {
 public:
  Encoder(const ChatRequest& request, const TargetTraits& target, Dropped& dropped)
      : request_(request), target_(target), dropped_(dropped) {}

  std::expected<EncodedRequest, Refusal> encode() {
    if (request_.n.value_or(1) != 1) refuse("The Responses API gives one answer per call: n must be 1.", "n");
    if (!request_.tools.empty() && !target_.tools) refuse("The chosen model takes no tools.", "tools");
    encoded_.path = "/responses";
    encoded_.body.reserve(body_bytes(request_));
    out_.open_document();
    out_.key("model").string(target_.model);
    out_.key("input").open_array();
    for (const Message& message : request_.messages) encode_message(message);
    out_.close_array();
    out_.key("store").boolean(false);
    encode_tools();
    encode_format();
    encode_reasoning();
    encode_sampling();
    out_.text_member("user", request_.user);
    if (request_.stream) out_.key("stream").boolean(true);
    out_.close_object();
    drop_extras(request_, dropped_);
    if (refusal_) return std::unexpected(std::move(*refusal_));
    return std::move(encoded_);
  }

 private:
  void refuse(std::string message, std::string param) {
    if (!refusal_) refusal_ = Refusal{.message = std::move(message), .param = std::move(param), .code = {}};
  }
  void encode_message(const Message& message);
  void encode_words(const Message& message);
  void encode_part(const Part& part, bool assistant);
  void encode_media(const Part& part);
  void encode_item(const Part& part);
  void encode_output(const ToolResultPart& result);
  void encode_tools();
  void encode_format();
  void encode_reasoning();
  void encode_sampling();

  const ChatRequest& request_;
  const TargetTraits& target_;
  Dropped& dropped_;
  EncodedRequest encoded_;
  Writer out_{encoded_.body};
  std::optional<Refusal> refusal_;
};

bool is_words(const Part& part) {
  return part.as<ToolCallPart>() == nullptr && part.as<ToolResultPart>() == nullptr &&
         part.as<ThinkingPart>() == nullptr && part.as<RedactedThinkingPart>() == nullptr;
}

/// Thinking, words and calls are items of their own, in this order.
void Encoder::encode_message(const Message& message) {
  if (!message.name.empty()) dropped_.add("messages.name");
  bool words = message.parts.empty();
  for (const Part& part : message.parts) {
    if (part.cache) dropped_.add("cache_control");
    words |= is_words(part);
    if (part.as<ThinkingPart>() != nullptr || part.as<RedactedThinkingPart>() != nullptr) encode_item(part);
  }
  if (words) encode_words(message);
  for (const Part& part : message.parts) {
    if (part.as<ToolCallPart>() != nullptr || part.as<ToolResultPart>() != nullptr) encode_item(part);
  }
}

void Encoder::encode_words(const Message& message) {
  const bool assistant = message.role == Role::assistant;
  out_.open_object();
  out_.key("type").string("message");
  std::string_view role = assistant ? "assistant" : "user";
  if (message.role == Role::system) role = "system";
  if (message.role == Role::developer) role = "developer";
  out_.key("role").string(role);
  out_.key("content").open_array();
  for (const Part& part : message.parts) {
    if (is_words(part)) encode_part(part, assistant);
  }
  out_.close_array();
  out_.close_object();
}

void Encoder::encode_part(const Part& part, bool assistant) {
  if (const auto* text = part.as<TextPart>()) {
    out_.open_object();
    out_.key("type").string(assistant ? "output_text" : "input_text");
    out_.key("text").text(text->text);
    out_.close_object();
  } else if (const auto* refusal = part.as<RefusalPart>()) {
    out_.open_object();
    out_.key("type").string("refusal");
    out_.key("refusal").text(refusal->text);
    out_.close_object();
  } else if (assistant) {
    refuse("The Responses API takes no pictures or files in an assistant's message.", "messages");
  } else {
    encode_media(part);
  }
}

void Encoder::encode_media(const Part& part) {
  if (const auto* image = part.as<ImagePart>()) {
    const bool url = image->media.source == Media::Source::url;
    if (!target_.images) return refuse("The chosen model takes no images.", "messages");
    if (!url && image->media.source != Media::Source::base64) {
      return refuse("An image by file id cannot go to another provider: send it in base64.", "messages");
    }
    if (url && !target_.image_urls) return refuse("The chosen model takes images in base64 only.", "messages");
    out_.open_object();
    out_.key("type").string("input_image");
    append_url(image->media, out_.key("image_url").target());
    out_.key("detail");
    image->detail.empty() ? out_.string("auto") : out_.text(image->detail);
    out_.close_object();
  } else if (const auto* document = part.as<DocumentPart>()) {
    if (!target_.documents) return refuse("The chosen model takes no documents.", "messages");
    if (document->citations) dropped_.add("citations");
    out_.open_object();
    if (document->media.source == Media::Source::text) {
      out_.key("type").string("input_text");
      out_.key("text").text(document->media.data);
      return out_.close_object();
    }
    out_.key("type").string("input_file");
    if (document->media.source == Media::Source::url) {
      out_.key("file_url").text(document->media.data);
    } else if (document->media.source == Media::Source::base64) {
      out_.key("filename");
      document->name.empty() ? out_.string("document.pdf") : out_.text(document->name);
      append_url(document->media, out_.key("file_data").target());
    } else {
      refuse("A document by file id cannot go to another provider: send it in base64.", "messages");
    }
    out_.close_object();
  } else {
    refuse("The Responses API takes no sound.", "messages");
  }
}

void Encoder::encode_item(const Part& part) {
  if (const auto* thinking = part.as<ThinkingPart>()) {
    if (thinking->signature.empty()) return dropped_.add("thinking");  // what is not sealed cannot be given back
    out_.open_object();
    out_.key("type").string("reasoning");
    out_.text_member("id", thinking->id);
    out_.key("summary").open_array();
    if (!thinking->text.empty()) {
      out_.open_object();
      out_.key("type").string("summary_text");
      out_.key("text").text(thinking->text);
      out_.close_object();
    }
    out_.close_array();
    out_.key("encrypted_content").text(thinking->signature);
    out_.close_object();
  } else if (const auto* call = part.as<ToolCallPart>()) {
    out_.open_object();
    out_.key("type").string("function_call");
    out_.key("call_id").text(call->id);
    out_.key("name").text(call->name);
    out_.key("arguments");
    call->arguments.empty() ? out_.string("{}") : out_.text(call->arguments);
    out_.close_object();
  } else if (const auto* result = part.as<ToolResultPart>()) {
    encode_output(*result);
  } else {
    dropped_.add("thinking");
  }
}

void Encoder::encode_output(const ToolResultPart& result) {
  if (result.is_error) dropped_.add("is_error");
  out_.open_object();
  out_.key("type").string("function_call_output");
  out_.key("call_id").text(result.call_id);
  const auto* only = result.content.size() == 1 ? result.content.front().as<TextPart>() : nullptr;
  out_.key("output");
  if (result.content.empty()) {
    out_.string("");
  } else if (only != nullptr) {
    out_.text(only->text);
  } else {
    out_.open_array();
    for (const Part& piece : result.content) encode_part(piece, false);
    out_.close_array();
  }
  out_.close_object();
}

void Encoder::encode_tools() {
  bool any = false;
  for (const Tool& tool : request_.tools) {
    if (!tool.provider_tool.empty()) {
      dropped_.add("tools.server");
      continue;
    }
    if (tool.cache) dropped_.add("cache_control");
    if (!any) out_.key("tools").open_array();
    any = true;
    out_.open_object();
    out_.key("type").string("function");
    out_.key("name").text(tool.name);
    out_.text_member("description", tool.description);
    out_.key("parameters").raw(tool.schema.empty() ? kNoParameters : tool.schema);
    out_.key("strict").boolean(tool.strict.value_or(false));  // here the default is true
    out_.close_object();
  }
  if (!any) return;
  out_.close_array();
  if (request_.tool_choice == ToolChoice::named) {
    out_.key("tool_choice").open_object();
    out_.key("type").string("function");
    out_.key("name").text(request_.tool_name);
    out_.close_object();
  } else if (request_.tool_choice != ToolChoice::unset) {
    std::string_view word = "auto";
    if (request_.tool_choice == ToolChoice::none) word = "none";
    if (request_.tool_choice == ToolChoice::required) word = "required";
    out_.key("tool_choice").string(word);
  }
  if (request_.parallel_tool_calls) out_.key("parallel_tool_calls").boolean(*request_.parallel_tool_calls);
}

void Encoder::encode_format() {
  const ResponseFormat& format = request_.response_format;
  if (format.format == Format::text) return;
  out_.key("text").open_object();
  out_.key("format").open_object();
  if (format.format == Format::json_object) {
    out_.key("type").string("json_object");
  } else {
    out_.key("type").string("json_schema");
    out_.key("name");
    format.name.empty() ? out_.string("answer") : out_.text(format.name);
    out_.text_member("description", format.description);
    out_.key("schema").raw(format.schema);
    out_.key("strict").boolean(format.strict.value_or(false));
  }
  out_.close_object();
  out_.close_object();
}

void Encoder::encode_reasoning() {
  using enum Reasoning::Effort;
  const Reasoning& reasoning = request_.reasoning;
  Reasoning::Effort effort = reasoning.effort;
  if (effort == unset && reasoning.budget_tokens) {
    effort = *reasoning.budget_tokens == 0 ? low : effort_of(*reasoning.budget_tokens);
  }
  if (effort == unset && reasoning.adaptive) effort = medium;
  if (!target_.reasoning) {
    if (effort != unset && effort != none) dropped_.add("reasoning_effort");
    return;
  }
  if (effort != unset || reasoning.show) {
    out_.key("reasoning").open_object();
    if (effort != unset) out_.key("effort").string(name_of(effort));
    if (reasoning.show) out_.key("summary").string("auto");
    out_.close_object();
  }
  out_.key("include").raw(R"(["reasoning.encrypted_content"])");
}

void Encoder::encode_sampling() {
  if (request_.max_output_tokens) out_.key("max_output_tokens").integer(*request_.max_output_tokens);
  out_.raw_member("temperature", request_.temperature);
  out_.raw_member("top_p", request_.top_p);
  if (request_.top_k) dropped_.add("top_k");
  if (!request_.seed.empty()) dropped_.add("seed");
  if (!request_.frequency_penalty.empty()) dropped_.add("frequency_penalty");
  if (!request_.presence_penalty.empty()) dropped_.add("presence_penalty");
  if (!request_.stop.empty()) dropped_.add("stop");
  if (request_.logprobs.value_or(false)) dropped_.add("logprobs");
  if (request_.top_logprobs.value_or(0) > 0) dropped_.add("top_logprobs");
  const Text& tier = request_.service_tier;
  if (tier.empty()) return;
  if (tier == "auto" || tier == "default" || tier == "flex" || tier == "priority") {
    out_.key("service_tier").text(tier);
  } else if (tier == "standard_only") {
    out_.key("service_tier").string("default");
  } else {
    dropped_.add("service_tier");
  }
}

}  // namespace

std::expected<EncodedRequest, Refusal> encode_request(const ChatRequest& request, const TargetTraits& target,
                                                      Dropped& dropped) {
  return Encoder{request, target, dropped}.encode();
}

}  // namespace weir::openai_responses
