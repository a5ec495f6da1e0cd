#include "dialects/openai_chat/request_encoder.hpp"

#include <string>
#include <utility>

#include "dialects/openai_chat/message_encoder.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_chat {
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

std::optional<Refusal> encode_tools(Writer& out, const ChatRequest& request, const TargetTraits& target,
                                    Dropped& dropped) {
  bool any = false;
  for (const Tool& tool : request.tools) {
    if (!tool.provider_tool.empty()) {
      dropped.add("tools.server");
      continue;
    }
    if (!target.tools) {
      return Refusal{.message = "The chosen model takes no tools.", .param = "tools", .code = "unsupported_parameter"};
    }
    if (tool.cache) dropped.add("cache_control");
    if (!any) out.key("tools").open_array();
    any = true;
    out.open_object();
    out.key("type").string("function");
    out.key("function").open_object();
    out.key("name").text(tool.name);
    out.text_member("description", tool.description);
    out.key("parameters").raw(tool.schema.empty() ? kNoParameters : tool.schema);
    if (tool.strict) out.key("strict").boolean(*tool.strict);
    out.close_object();
    out.close_object();
  }
  if (!any) return std::nullopt;  // without tools OpenAI refuses what chooses among them
  out.close_array();
  switch (request.tool_choice) {
    case ToolChoice::unset:
      break;
    case ToolChoice::automatic:
      out.key("tool_choice").string("auto");
      break;
    case ToolChoice::none:
      out.key("tool_choice").string("none");
      break;
    case ToolChoice::required:
      out.key("tool_choice").string("required");
      break;
    case ToolChoice::named:
      out.key("tool_choice").open_object();
      out.key("type").string("function");
      out.key("function").open_object();
      out.key("name").text(request.tool_name);
      out.close_object();
      out.close_object();
  }
  if (request.parallel_tool_calls) out.key("parallel_tool_calls").boolean(*request.parallel_tool_calls);
  return std::nullopt;
}

void encode_format(Writer& out, const ResponseFormat& format) {
  if (format.format == Format::text) return;
  out.key("response_format").open_object();
  if (format.format == Format::json_object) {
    out.key("type").string("json_object");
  } else {
    out.key("type").string("json_schema");
    out.key("json_schema").open_object();
    out.key("name");
    format.name.empty() ? out.string("answer") : out.text(format.name);
    out.text_member("description", format.description);
    out.key("schema").raw(format.schema);
    if (format.strict) out.key("strict").boolean(*format.strict);
    out.close_object();
  }
  out.close_object();
}

void encode_reasoning(Writer& out, const Reasoning& reasoning, const TargetTraits& target, Dropped& dropped) {
  using enum Reasoning::Effort;
  Reasoning::Effort effort = reasoning.effort;
  if (effort == unset && reasoning.budget_tokens) effort = effort_of(*reasoning.budget_tokens);
  if (reasoning.budget_tokens == 0 && target.reasoning) {
    effort = low;  // not every model can be told not to think at all
    dropped.add("thinking");
  }
  if (effort == unset && reasoning.adaptive) effort = medium;
  if (effort == unset) return;
  if (target.reasoning) {
    out.key("reasoning_effort").string(name_of(effort));
  } else if (effort != none) {
    dropped.add(reasoning.budget_tokens || reasoning.adaptive ? "thinking" : "reasoning_effort");
  }
}

void encode_sampling(Writer& out, const ChatRequest& request, Dropped& dropped) {
  out.raw_member("temperature", request.temperature);
  out.raw_member("top_p", request.top_p);
  out.raw_member("seed", request.seed);
  out.raw_member("frequency_penalty", request.frequency_penalty);
  out.raw_member("presence_penalty", request.presence_penalty);
  if (request.top_k) dropped.add("top_k");
  if (request.n) out.key("n").integer(*request.n);
  if (request.logprobs) out.key("logprobs").boolean(*request.logprobs);
  if (request.top_logprobs) out.key("top_logprobs").integer(*request.top_logprobs);
  if (request.stop.empty()) return;
  constexpr std::size_t stop_max = 4;
  out.key("stop").open_array();
  for (std::size_t i = 0; i < request.stop.size() && i < stop_max; ++i) out.text(request.stop[i]);
  out.close_array();
  if (request.stop.size() > stop_max) dropped.add("stop");
}

void encode_tier(Writer& out, const Text& tier, Dropped& dropped) {
  if (tier.empty()) return;
  if (tier == "auto" || tier == "default" || tier == "flex" || tier == "priority") {
    out.key("service_tier").text(tier);
  } else if (tier == "standard_only" || tier == "standard") {
    out.key("service_tier").string("default");
  } else {
    dropped.add("service_tier");
  }
}

}  // namespace

std::expected<EncodedRequest, Refusal> encode_request(const ChatRequest& request, const TargetTraits& target,
                                                      Dropped& dropped) {
  EncodedRequest encoded;
  encoded.path = "/chat/completions";
  encoded.body.reserve(body_bytes(request));
  Writer out(encoded.body);
  out.open_document();
  out.key("model").string(target.model);
  if (auto refusal = MessageEncoder{out, target, dropped}.encode(request.messages)) return std::unexpected(*refusal);
  if (auto refusal = encode_tools(out, request, target, dropped)) return std::unexpected(*refusal);
  encode_format(out, request.response_format);
  encode_reasoning(out, request.reasoning, target, dropped);
  if (request.max_output_tokens) {
    std::int64_t most = *request.max_output_tokens;
    if (target.max_output_tokens > 0 && most > target.max_output_tokens) {
      most = target.max_output_tokens;
      dropped.add("max_tokens");
    }
    out.key(target.max_completion_tokens ? "max_completion_tokens" : "max_tokens").integer(most);
  }
  encode_sampling(out, request, dropped);
  out.text_member("user", request.user);
  encode_tier(out, request.service_tier, dropped);
  if (request.stream) {
    out.key("stream").boolean(true);
    out.key("stream_options").raw(R"({"include_usage":true})");
  }
  out.close_object();
  drop_extras(request, dropped);
  return encoded;
}

}  // namespace weir::openai_chat
