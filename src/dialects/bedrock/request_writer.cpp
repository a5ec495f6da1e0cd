#include "dialects/bedrock/request_writer.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "dialects/bedrock/messages_writer.hpp"
#include "net/path_segment.hpp"

namespace weir::bedrock {
namespace {

using namespace vocabulary;
using Effort = Reasoning::Effort;

constexpr std::int64_t kThinkingTokensMin = 1024;  // Anthropic refuses less
constexpr std::string_view kSchemaTool = "json_answer";

bool is_open_ai(std::string_view model) {
  return model.find("openai.") != std::string_view::npos;
}

/// What is decided before anything is written.
struct Plan {
  std::string schema_tool;    ///< the forced tool; empty = none
  std::int64_t thinking = 0;  ///< budget in tokens; 0 = off or not by budget
  bool adaptive = false;
  std::optional<std::int64_t> max_tokens;
};

std::optional<Refusal> impossible(const ChatRequest& request, const TargetTraits& target) {
  if (request.n.value_or(1) != 1) {
    return Refusal{
        .message = "Bedrock gives one answer per call: leave n out or set it to 1.", .param = "n", .code = {}};
  }
  if (!request.tools.empty() && !target.tools) {
    return Refusal{
        .message = fmt::format("The model {} does not take tools.", target.model), .param = "tools", .code = {}};
  }
  // A path's dots would be taken away before the signature is checked.
  if (target.model.empty() || target.model == "." || target.model == "..") {
    return Refusal{
        .failure = Failure::client_not_found, .message = "No model has this name.", .param = "model", .code = {}};
  }
  return std::nullopt;
}

bool is_function(const Tool& tool) {
  return tool.provider_tool.empty();
}

/// The names of all calls in the history: Bedrock wants tools declared where the conversation has called some.
std::vector<const Text*> called_names(const ChatRequest& request) {
  std::vector<const Text*> names;
  std::set<std::string> seen;
  for (const Message& message : request.messages) {
    for (const Part& part : message.parts) {
      const auto* call = part.as<ToolCallPart>();
      if (call != nullptr && seen.insert(call->name.str()).second) names.push_back(&call->name);
    }
  }
  return names;
}

std::string schema_tool_name(const ChatRequest& request) {
  std::string name =
      request.response_format.name.empty() ? std::string{kSchemaTool} : request.response_format.name.str();
  const bool taken = std::ranges::any_of(request.tools, [&name](const Tool& tool) { return tool.name == name; });
  return taken ? std::string{kSchemaTool} : name;
}

std::int64_t thinking_tokens_of(Effort effort) {
  switch (effort) {
    case Effort::minimal:
    case Effort::low:
      return kThinkingTokensMin;
    case Effort::medium:
      return 8192;
    default:
      return 24576;
  }
}

void plan_thinking(const ChatRequest& request, const TargetTraits& target, Dropped& dropped, Plan& plan) {
  const Reasoning& reasoning = request.reasoning;
  const bool off = reasoning.effort == Effort::none || reasoning.budget_tokens == 0;
  const bool asked = reasoning.adaptive || reasoning.budget_tokens || reasoning.effort != Effort::unset;
  if (!asked || off) return;
  if (is_open_ai(target.model) && reasoning.effort != Effort::unset) return;  // an effort of its own
  const bool forced = !plan.schema_tool.empty() || request.tool_choice == ToolChoice::required ||
                      request.tool_choice == ToolChoice::named;
  if (!target.reasoning || !is_claude(target.model) || forced) return dropped.add("reasoning");
  if (target.adaptive_thinking && !reasoning.budget_tokens) {
    plan.adaptive = true;
    return;
  }
  plan.thinking = std::max(reasoning.budget_tokens.value_or(thinking_tokens_of(reasoning.effort)), kThinkingTokensMin);
  if (!plan.max_tokens) {
    plan.max_tokens = plan.thinking + target.default_max_tokens;
    if (target.max_output_tokens > 0) plan.max_tokens = std::min(*plan.max_tokens, target.max_output_tokens);
  }
  if (plan.thinking < *plan.max_tokens) return;  // SEMANTICS 20: thoughts count as output
  plan.thinking = *plan.max_tokens > kThinkingTokensMin ? *plan.max_tokens - 1 : 0;
  dropped.add(plan.thinking > 0 ? "reasoning.budget_tokens" : "reasoning");
}

void write_tool(json::Elements& tools, const Text& name, const Text& description, std::string_view schema,
                bool strict) {
  std::string& to = tools.next();
  to += "{\"toolSpec\":";
  json::Members spec{to};
  name.append_quoted(spec["name"]);
  if (!description.empty()) description.append_quoted(spec["description"]);
  spec["inputSchema"]
      .append("{\"json\":")
      .append(schema.empty() ? std::string_view{"{\"type\":\"object\"}"} : schema)
      .append("}");
  if (strict) spec["strict"] += "true";
  spec.close();
  to += '}';
}

void write_tools(const ChatRequest& request, const Plan& plan, Dropped& dropped, json::Members& body) {
  if (!std::ranges::all_of(request.tools, is_function)) dropped.add("tools");
  const bool any = std::ranges::any_of(request.tools, is_function);
  const auto history = called_names(request);
  bool choice_matters = request.tool_choice != ToolChoice::unset;
  if (any && request.parallel_tool_calls == false) dropped.add("parallel_tool_calls");
  const bool none = request.tool_choice == ToolChoice::none;
  if (none && any && !history.empty()) dropped.add("tool_choice");  // they must be declared, and then may be called
  const bool declared = any && !(none && history.empty());
  if (!declared && plan.schema_tool.empty() && history.empty()) return;
  std::string& to = body["toolConfig"];
  to += "{\"tools\":";
  json::Elements tools{to};
  for (const Tool& tool : request.tools) {
    if (!declared || !is_function(tool)) continue;
    write_tool(tools, tool.name, tool.description, tool.schema, tool.strict.value_or(false));
    if (tool.cache) tools.next() += "{\"cachePoint\":{\"type\":\"default\"}}";
  }
  if (!declared) {
    for (const Text* name : history) write_tool(tools, *name, {}, {}, false);
  }
  if (!plan.schema_tool.empty()) {
    const ResponseFormat& format = request.response_format;
    write_tool(tools, Text::plain(plan.schema_tool), format.description, format.schema, format.strict.value_or(false));
  }
  tools.close();
  choice_matters = choice_matters && declared && !none;
  if (!plan.schema_tool.empty()) {
    // With tools of the caller's beside it the model may call those first.
    if (declared && !none) {
      to += ",\"toolChoice\":{\"any\":{}}";
    } else {
      to += ",\"toolChoice\":{\"tool\":{\"name\":";
      Text::plain(plan.schema_tool).append_quoted(to);
      to += "}}";
    }
  } else if (choice_matters && request.tool_choice == ToolChoice::named) {
    to += ",\"toolChoice\":{\"tool\":{\"name\":";
    request.tool_name.append_quoted(to);
    to += "}}";
  } else if (choice_matters) {
    to +=
        request.tool_choice == ToolChoice::required ? ",\"toolChoice\":{\"any\":{}}" : ",\"toolChoice\":{\"auto\":{}}";
  }
  to += '}';
}

void write_sampling(const ChatRequest& request, const Plan& plan, Dropped& dropped, json::Members& body) {
  std::string settings;
  json::Members config{settings};
  if (plan.max_tokens) json::append_integer(config["maxTokens"], *plan.max_tokens);
  // While Claude thinks it takes neither.
  const bool thinks = plan.thinking > 0 || plan.adaptive;
  const auto number = [&](std::string_view key, std::string_view field, std::string_view spelled) {
    if (spelled.empty()) return;
    if (thinks) return dropped.add(field);
    config[key] += spelled;
  };
  number("temperature", "temperature", request.temperature);
  number("topP", "top_p", request.top_p);
  if (!request.stop.empty()) {
    json::Elements stops{config["stopSequences"]};
    for (const Text& stop : request.stop) stop.append_quoted(stops.next());
    stops.close();
  }
  config.close();
  if (config.any()) body["inferenceConfig"] += settings;
}

std::string_view effort_name(Effort effort) {
  switch (effort) {
    case Effort::minimal:
    case Effort::low:
      return "low";
    case Effort::medium:
      return "medium";
    case Effort::maximal:
      return "max";
    default:
      return "high";
  }
}

/// What Converse has no field for and the model's own body has.
void write_own_fields(const ChatRequest& request, const TargetTraits& target, const Plan& plan, Dropped& dropped,
                      json::Members& body) {
  std::string fields;
  json::Members own{fields};
  const Effort effort = request.reasoning.effort;
  if (plan.thinking > 0) {
    own["thinking"] += fmt::format(R"({{"type":"enabled","budget_tokens":{}}})", plan.thinking);
  } else if (plan.adaptive) {
    own["thinking"] += R"({"type":"adaptive"})";
    if (effort != Effort::unset) own["output_config"] += fmt::format(R"({{"effort":"{}"}})", effort_name(effort));
  } else if (is_open_ai(target.model) && effort != Effort::unset && effort != Effort::none) {
    const auto name = effort == Effort::maximal ? std::string_view{"high"} : effort_name(effort);
    own["reasoning_effort"] += fmt::format("\"{}\"", name);
  }
  if (request.top_k) {
    if (is_claude(target.model) && plan.thinking == 0 && !plan.adaptive) {
      json::append_integer(own["top_k"], *request.top_k);
    } else {
      dropped.add("top_k");
    }
  }
  own.close();
  if (own.any()) body["additionalModelRequestFields"] += fields;
}

void write_native_schema(const ResponseFormat& format, json::Members& body) {
  std::string& to = body["outputConfig"];
  to += R"({"textFormat":{"type":"json_schema","structure":{"jsonSchema":)";
  json::Members schema{to};
  Text::plain(format.schema).append_quoted(schema["schema"]);  // as a string, not as a value
  if (!format.name.empty()) format.name.append_quoted(schema["name"]);
  if (!format.description.empty()) format.description.append_quoted(schema["description"]);
  schema.close();
  to += "}}}";
}

void note_dropped(const ChatRequest& request, Dropped& dropped) {
  const auto number = [&dropped](std::string_view field, std::string_view spelled) {
    if (!spelled.empty()) dropped.add(field);
  };
  number("seed", request.seed);
  number("frequency_penalty", request.frequency_penalty);
  number("presence_penalty", request.presence_penalty);
  if (request.logprobs.value_or(false)) dropped.add("logprobs");
  if (request.top_logprobs.value_or(0) > 0) dropped.add("top_logprobs");
  if (!request.user.empty()) dropped.add("user");
  for (const Extra& extra : request.extras) dropped.add_unknown(extra.name.str());
}

void write_tier(const Text& tier, Dropped& dropped, json::Members& body) {
  if (tier.empty() || tier == "auto") return;
  if (!(tier == "priority" || tier == "default" || tier == "flex" || tier == "reserved")) {
    return dropped.add("service_tier");
  }
  std::string& to = body["serviceTier"];
  to += "{\"type\":";
  tier.append_quoted(to);
  to += '}';
}

std::size_t size_of(const ChatRequest& request) {
  std::size_t bytes = 1024;
  for (const Message& message : request.messages) {
    for (const Part& part : message.parts) {
      bytes += 64;
      if (const auto* text = part.as<TextPart>()) bytes += text->text.size();
      if (const auto* image = part.as<ImagePart>()) bytes += image->media.data.size() + 128;
      if (const auto* document = part.as<DocumentPart>()) bytes += document->media.data.size() + 256;
    }
  }
  return bytes;
}

}  // namespace

bool is_claude(std::string_view model) {
  return model.find("anthropic.") != std::string_view::npos || model.find("claude") != std::string_view::npos;
}

std::expected<EncodedRequest, Refusal> encode_request(const ChatRequest& request, const TargetTraits& target,
                                                      Dropped& dropped) {
  if (auto refusal = impossible(request, target)) return std::unexpected(std::move(*refusal));
  const bool wants_json = request.response_format.format != Format::text;
  const bool native = target.native_schema && !request.response_format.schema.empty();
  Plan plan;
  plan.max_tokens = request.max_output_tokens;
  if (wants_json && !native) {
    if (!target.tools) {
      return std::unexpected(Refusal{.message = fmt::format("The model {} cannot be held to JSON.", target.model),
                                     .param = "response_format",
                                     .code = {}});
    }
    plan.schema_tool = schema_tool_name(request);
  }
  plan_thinking(request, target, dropped, plan);

  EncodedRequest encoded;
  encoded.path = fmt::format("/model/{}/{}", net::encode_path_segment(target.model),
                             request.stream ? "converse-stream" : "converse");
  if (request.stream) encoded.headers.emplace_back("accept", "application/vnd.amazon.eventstream");
  encoded.hints.schema_tool = plan.schema_tool;
  encoded.body.reserve(size_of(request));
  json::Members body{encoded.body};
  MessagesWriter messages{request, target, dropped, body["messages"]};
  messages.write_messages();
  if (messages.refusal()) return std::unexpected(*messages.refusal());
  std::string system;
  MessagesWriter system_writer{request, target, dropped, system};
  if (system_writer.write_system()) body["system"] += system;
  if (system_writer.refusal()) return std::unexpected(*system_writer.refusal());
  write_sampling(request, plan, dropped, body);
  write_tools(request, plan, dropped, body);
  if (wants_json && native) write_native_schema(request.response_format, body);
  write_own_fields(request, target, plan, dropped, body);
  write_tier(request.service_tier, dropped, body);
  body.close();
  note_dropped(request, dropped);
  return encoded;
}

}  // namespace weir::bedrock
