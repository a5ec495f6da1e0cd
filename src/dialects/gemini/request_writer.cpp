#include "dialects/gemini/request_writer.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "dialects/gemini/contents_writer.hpp"
#include "dialects/gemini/schema_words.hpp"
#include "dialects/json/writing.hpp"
#include "net/path_segment.hpp"

namespace weir::gemini {
namespace {

using namespace vocabulary;
using Effort = Reasoning::Effort;

constexpr std::size_t kStopsMax = 5;

std::optional<Refusal> impossible(const ChatRequest& request, const TargetTraits& target) {
  if (request.n && (*request.n < 1 || *request.n > 8)) {
    return Refusal{.message = "Gemini answers with 1 to 8 choices.", .param = "n", .code = {}};
  }
  if (!request.tools.empty() && !target.tools) {
    return Refusal{
        .message = fmt::format("The model {} does not take tools.", target.model), .param = "tools", .code = {}};
  }
  return std::nullopt;
}

void write_tools(const ChatRequest& request, Dropped& dropped, json::Members& body) {
  const auto is_function = [](const Tool& tool) { return tool.provider_tool.empty(); };
  if (!std::ranges::all_of(request.tools, is_function)) dropped.add("tools");
  if (!std::ranges::any_of(request.tools, is_function)) {
    if (request.tool_choice != ToolChoice::unset) dropped.add("tool_choice");
    return;
  }
  std::string& to = body["tools"];
  to += "[{\"functionDeclarations\":";
  json::Elements functions{to};
  for (const Tool& tool : request.tools) {
    if (!is_function(tool)) continue;
    if (tool.cache) dropped.add("cache_control");
    if (tool.strict.value_or(false)) dropped.add("tools.strict");
    json::Members function{functions.next()};
    tool.name.append_quoted(function["name"]);
    if (!tool.description.empty()) tool.description.append_quoted(function["description"]);
    if (!tool.schema.empty()) {
      note_unsupported_words(tool.schema, dropped);
      function["parametersJsonSchema"] += tool.schema;
    }
    function.close();
  }
  functions.close();
  to += "}]";
  if (request.parallel_tool_calls == false) dropped.add("parallel_tool_calls");
  if (request.tool_choice == ToolChoice::unset) return;
  std::string& config = body["toolConfig"];
  config += "{\"functionCallingConfig\":{\"mode\":";
  switch (request.tool_choice) {
    case ToolChoice::none:
      config += "\"NONE\"";
      break;
    case ToolChoice::required:
      config += "\"ANY\"";
      break;
    case ToolChoice::named:
      config += "\"ANY\",\"allowedFunctionNames\":[";
      request.tool_name.append_quoted(config);
      config += ']';
      break;
    default:
      config += "\"AUTO\"";
  }
  config += "}}";
}

/// Tokens to think with, as Google's own OpenAI endpoint translates an effort.
std::int64_t thinking_tokens_of(Effort effort) {
  switch (effort) {
    case Effort::none:
      return 0;
    case Effort::minimal:
    case Effort::low:
      return 1024;
    case Effort::medium:
      return 8192;
    default:
      return 24576;
  }
}

std::string_view level_of(Effort effort, std::string_view model, Dropped& dropped) {
  const bool flash = model.find("flash") != std::string_view::npos;
  switch (effort) {
    case Effort::none:
      dropped.add("reasoning.effort");  // these models always think
      return flash ? "minimal" : "low";
    case Effort::minimal:
      if (!flash) dropped.add("reasoning.effort");
      return flash ? "minimal" : "low";
    case Effort::low:
      return "low";
    case Effort::medium:
      return "medium";
    default:
      return "high";
  }
}

void write_thinking(const ChatRequest& request, const TargetTraits& target, Dropped& dropped, json::Members& config) {
  const Reasoning& reasoning = request.reasoning;
  const bool asked = reasoning.budget_tokens || reasoning.adaptive || reasoning.effort != Effort::unset;
  if (!asked && !reasoning.show) return;
  if (!target.reasoning) {
    // Not to think is what such a model does anyway.
    const bool off = reasoning.effort == Effort::none || reasoning.budget_tokens == 0;
    if (!off) dropped.add("reasoning");
    return;
  }
  json::Members thinking{config["thinkingConfig"]};
  if (reasoning.budget_tokens) {
    // What is thought counts as output here: a budget of all of it would leave nothing for the answer (SEMANTICS 20).
    const std::int64_t below = request.max_output_tokens.value_or(*reasoning.budget_tokens + 1) - 1;
    if (*reasoning.budget_tokens > below) dropped.add("reasoning.budget_tokens");
    json::append_integer(thinking["thinkingBudget"],
                         std::max<std::int64_t>(0, std::min(*reasoning.budget_tokens, below)));
  } else if (reasoning.effort != Effort::unset) {
    if (is_third_generation(target.model)) {
      thinking["thinkingLevel"].append(1, '"').append(level_of(reasoning.effort, target.model, dropped)).append(1, '"');
    } else {
      const std::int64_t below = request.max_output_tokens.value_or(1 << 20) - 1;
      json::append_integer(thinking["thinkingBudget"],
                           std::max<std::int64_t>(0, std::min(thinking_tokens_of(reasoning.effort), below)));
    }
  } else if (reasoning.adaptive && !is_third_generation(target.model)) {
    json::append_integer(thinking["thinkingBudget"], -1);
  }
  if (reasoning.show) thinking["includeThoughts"] += "true";
  thinking.close();
}

void write_format(const ResponseFormat& format, Dropped& dropped, json::Members& config) {
  if (format.format == Format::text) return;
  config["responseMimeType"] += "\"application/json\"";
  if (format.format != Format::json_schema || format.schema.empty()) return;
  if (!format.description.empty()) dropped.add("response_format.description");
  note_unsupported_words(format.schema, dropped);
  config["responseJsonSchema"] += format.schema;
}

void write_config(const ChatRequest& request, const TargetTraits& target, Dropped& dropped, json::Members& config) {
  const auto number = [&config](std::string_view key, std::string_view spelled) {
    if (!spelled.empty()) config[key] += spelled;
  };
  number("temperature", request.temperature);
  number("topP", request.top_p);
  if (request.top_k) json::append_integer(config["topK"], *request.top_k);
  if (request.max_output_tokens) json::append_integer(config["maxOutputTokens"], *request.max_output_tokens);
  if (request.n.value_or(1) > 1) json::append_integer(config["candidateCount"], *request.n);
  number("seed", request.seed);
  number("presencePenalty", request.presence_penalty);
  number("frequencyPenalty", request.frequency_penalty);
  if (!request.stop.empty()) {
    json::Elements stops{config["stopSequences"]};
    for (const Text& stop : std::span{request.stop}.first(std::min(request.stop.size(), kStopsMax))) {
      stop.append_quoted(stops.next());
    }
    stops.close();
    if (request.stop.size() > kStopsMax) dropped.add("stop");
  }
  write_format(request.response_format, dropped, config);
  write_thinking(request, target, dropped, config);
}

void note_dropped(const ChatRequest& request, Dropped& dropped) {
  // Gemini's form of log probabilities has no place in the vocabulary's reply.
  if (request.logprobs.value_or(false)) dropped.add("logprobs");
  if (request.top_logprobs.value_or(0) > 0) dropped.add("top_logprobs");
  if (!request.user.empty()) dropped.add("user");
  if (!request.service_tier.empty() && !(request.service_tier == "auto")) dropped.add("service_tier");
  for (const Extra& extra : request.extras) dropped.add_unknown(extra.name.str());
}

/// About the size of the body, so that a picture of megabytes is copied once.
std::size_t size_of(const ChatRequest& request) {
  std::size_t bytes = 1024;
  const auto media = [&bytes](const Media& held) { bytes += held.data.size() + 128; };
  for (const Message& message : request.messages) {
    for (const Part& part : message.parts) {
      bytes += 64;
      if (const auto* text = part.as<TextPart>()) bytes += text->text.size();
      if (const auto* image = part.as<ImagePart>()) media(image->media);
      if (const auto* document = part.as<DocumentPart>()) media(document->media);
      if (const auto* audio = part.as<AudioPart>()) media(audio->media);
    }
  }
  return bytes;
}

std::string path_of(std::string_view model, bool stream) {
  constexpr std::string_view tuned = "tunedModels/";
  constexpr std::string_view base = "models/";
  std::string_view folder = base;
  if (model.starts_with(tuned)) folder = tuned;
  if (model.starts_with(folder)) model.remove_prefix(folder.size());
  return fmt::format("/{}{}:{}", folder, net::encode_path_segment(model),
                     stream ? "streamGenerateContent" : "generateContent");
}

}  // namespace

bool is_third_generation(std::string_view model) {
  const auto at = model.find("gemini-");
  if (at == std::string_view::npos || at + 7 >= model.size()) return false;
  const char generation = model[at + 7];
  return generation >= '3' && generation <= '9';
}

std::expected<EncodedRequest, Refusal> encode_request(const ChatRequest& request, const TargetTraits& target,
                                                      Dropped& dropped) {
  if (auto refusal = impossible(request, target)) return std::unexpected(std::move(*refusal));
  EncodedRequest encoded;
  encoded.path = path_of(target.model, request.stream);
  if (request.stream) encoded.query = "alt=sse";
  encoded.body.reserve(size_of(request));
  json::Members body{encoded.body};
  std::string system;
  ContentsWriter system_writer{request, target, dropped, system};
  if (system_writer.write_system()) body["systemInstruction"] += system;
  if (system_writer.refusal()) return std::unexpected(*system_writer.refusal());
  ContentsWriter contents{request, target, dropped, body["contents"]};
  contents.write_contents();
  if (contents.refusal()) return std::unexpected(*contents.refusal());
  write_tools(request, dropped, body);
  std::string settings;
  json::Members config{settings};
  write_config(request, target, dropped, config);
  config.close();
  if (config.any()) body["generationConfig"] += settings;
  body.close();
  note_dropped(request, dropped);
  return encoded;
}

}  // namespace weir::gemini
