#include "dialects/anthropic/request_encoder.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "dialects/anthropic/block_encoder.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::anthropic {
namespace {

using namespace vocabulary;

constexpr std::string_view kAnyObject = R"({"type":"object","properties":{}})";
constexpr std::int64_t kBudgetMin = 1024;

double value_of(std::string_view number) {
  double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value;
}

class Encoder {
 public:
  Encoder(const ChatRequest& request, const TargetTraits& target, Dropped& dropped)
      : request_(request), target_(target), dropped_(dropped) {}

  std::expected<EncodedRequest, Refusal> encode() {
    if (request_.n && *request_.n != 1) {
      return refused("Anthropic's API gives one answer per call: n must be 1.", "n");
    }
    if (!request_.tools.empty() && !target_.tools) return refused("The chosen model takes no tools.", "tools");
    encoded_.path = "/messages";
    encoded_.body.reserve(body_bytes(request_));
    decide_format();
    decide_thinking();
    out_.open_document();
    out_.key("model").string(target_.model);
    out_.key("max_tokens").integer(max_tokens_);
    BlockEncoder blocks(out_, target_, dropped_);
    encode_tools(blocks);  // first, as in the cached prefix: its markers count first
    if (auto refusal = blocks.encode(request_.messages)) return std::unexpected(std::move(*refusal));
    encode_thinking();
    encode_sampling();
    if (!request_.user.empty()) {
      out_.key("metadata").open_object();
      out_.key("user_id").text(request_.user);
      out_.close_object();
    }
    encode_tier();
    if (request_.stream) out_.key("stream").boolean(true);
    out_.close_object();
    drop_extras(request_, dropped_);
    return std::move(encoded_);
  }

 private:
  static std::unexpected<Refusal> refused(std::string message, std::string param) {
    return std::unexpected(
        Refusal{.message = std::move(message), .param = std::move(param), .code = "unsupported_parameter"});
  }

  bool forces_a_tool() const {
    return (!request_.tools.empty() &&
            (request_.tool_choice == ToolChoice::required || request_.tool_choice == ToolChoice::named)) ||
           !encoded_.hints.schema_tool.empty();
  }
  void decide_format();
  void decide_thinking();
  bool last_turn_lacks_thinking() const;
  void encode_tools(BlockEncoder& blocks);
  void encode_schema_tool();
  void encode_tool_choice();
  void encode_thinking();
  void encode_sampling();
  void encode_tier();

  const ChatRequest& request_;
  const TargetTraits& target_;
  Dropped& dropped_;
  EncodedRequest encoded_;
  Writer out_{encoded_.body};
  std::int64_t max_tokens_ = 0;
  std::int64_t budget_ = 0;  ///< 0 = no thinking by a budget
  bool adaptive_ = false;
};

/// A name in the characters that tools may have, unlike the caller's own tools.
void Encoder::decide_format() {
  const ResponseFormat& format = request_.response_format;
  if (format.format == Format::text) return;
  if (format.format == Format::json_schema && target_.native_schema) return;
  if (request_.tool_choice == ToolChoice::named && !request_.tools.empty()) {
    return dropped_.add("response_format");  // the caller forces another tool already
  }
  std::string name = format.name.empty() ? "json_answer" : tool_id(format.name).substr(0, 60);
  const auto taken = [&] {
    return std::any_of(request_.tools.begin(), request_.tools.end(),
                       [&](const Tool& tool) { return tool.name == name; });
  };
  while (taken() && name.size() < 64) name += '_';
  encoded_.hints.schema_tool = std::move(name);
}

void Encoder::decide_thinking() {
  using enum Reasoning::Effort;
  const Reasoning& reasoning = request_.reasoning;
  std::int64_t wanted = reasoning.budget_tokens.value_or(budget_of(reasoning.effort));
  const bool off = reasoning.effort == none || reasoning.budget_tokens == 0;
  bool wants = !off && (wanted > 0 || reasoning.adaptive);
  if (wants && wanted == 0) wanted = budget_of(medium);
  const std::string_view field = reasoning.effort == unset ? "thinking" : "reasoning_effort";
  // What Anthropic refuses together with thinking: a forced tool, and a tool's turn that does not begin with it.
  if (wants && (!target_.reasoning || forces_a_tool() || (!target_.adaptive_thinking && last_turn_lacks_thinking()))) {
    dropped_.add(field);
    wants = false;
  }
  adaptive_ = wants && target_.adaptive_thinking;
  max_tokens_ = request_.max_output_tokens.value_or(target_.default_max_tokens);
  if (wants && !adaptive_) {
    if (!request_.max_output_tokens) max_tokens_ += wanted;
    if (target_.max_output_tokens > 0) max_tokens_ = std::min(max_tokens_, target_.max_output_tokens);
    budget_ = std::min(std::max(wanted, kBudgetMin), max_tokens_ - 1);
    if (budget_ < kBudgetMin) {
      budget_ = 0;
      dropped_.add(field);
    }
  }
  if (target_.max_output_tokens > 0 && max_tokens_ > target_.max_output_tokens) max_tokens_ = target_.max_output_tokens;
  if (request_.max_output_tokens && max_tokens_ < *request_.max_output_tokens) dropped_.add("max_tokens");
}

/// The last turn called tools and has no signed thinking, as from a client whose dialect has no place for it.
bool Encoder::last_turn_lacks_thinking() const {
  for (auto message = request_.messages.rbegin(); message != request_.messages.rend(); ++message) {
    if (message->role == Role::user) return false;
    if (message->role != Role::assistant) continue;
    bool calls = false;
    for (const Part& part : message->parts) {
      const auto* thinking = part.as<ThinkingPart>();
      if (part.as<RedactedThinkingPart>() != nullptr || (thinking != nullptr && !thinking->signature.empty())) {
        return false;
      }
      calls |= part.as<ToolCallPart>() != nullptr;
    }
    return calls;
  }
  return false;
}

void Encoder::encode_tools(BlockEncoder& blocks) {
  const bool schema = !encoded_.hints.schema_tool.empty();
  bool any = schema;
  for (const Tool& tool : request_.tools) {
    tool.provider_tool.empty() ? void(any = true) : dropped_.add("tools.server");
  }
  if (!any) return;
  out_.key("tools").open_array();
  for (const Tool& tool : request_.tools) {
    if (!tool.provider_tool.empty()) continue;
    out_.open_object();
    out_.key("name").text(tool.name);
    out_.text_member("description", tool.description);
    out_.key("input_schema").raw(tool.schema.empty() ? kAnyObject : tool.schema);
    if (tool.strict && target_.native_schema) out_.key("strict").boolean(*tool.strict);
    if (tool.strict.value_or(false) && !target_.native_schema) dropped_.add("strict");
    blocks.encode_cache(tool.cache);
    out_.close_object();
  }
  if (schema) encode_schema_tool();
  out_.close_array();
  encode_tool_choice();
}

void Encoder::encode_schema_tool() {
  const ResponseFormat& format = request_.response_format;
  out_.open_object();
  out_.key("name").string(encoded_.hints.schema_tool);
  out_.key("description");
  format.description.empty() ? out_.string("Gives the answer. Call it once, with the whole answer.")
                             : out_.text(format.description);
  out_.key("input_schema").raw(format.schema.empty() ? kAnyObject : format.schema);
  out_.close_object();
}

void Encoder::encode_tool_choice() {
  ToolChoice choice = request_.tool_choice;
  const std::string& schema_tool = encoded_.hints.schema_tool;
  const bool own_tools = !request_.tools.empty() && choice != ToolChoice::none;
  const bool serial = request_.parallel_tool_calls == false;
  if (choice == ToolChoice::unset && !serial && schema_tool.empty()) return;
  out_.key("tool_choice").open_object();
  if (!schema_tool.empty() && !own_tools) {
    out_.key("type").string("tool");
    out_.key("name").string(schema_tool);
  } else if (!schema_tool.empty() || choice == ToolChoice::required) {
    out_.key("type").string("any");
  } else if (choice == ToolChoice::named) {
    out_.key("type").string("tool");
    out_.key("name").text(request_.tool_name);
  } else {
    out_.key("type").string(choice == ToolChoice::none ? "none" : "auto");
  }
  if (serial && choice != ToolChoice::none) out_.key("disable_parallel_tool_use").boolean(true);
  out_.close_object();
}

void Encoder::encode_thinking() {
  using enum Reasoning::Effort;
  const ResponseFormat& format = request_.response_format;
  const bool native = format.format == Format::json_schema && target_.native_schema;
  if (budget_ > 0) {
    out_.key("thinking").open_object();
    out_.key("type").string("enabled");
    out_.key("budget_tokens").integer(budget_);
    out_.close_object();
  } else if (adaptive_) {
    out_.key("thinking").raw(R"({"type":"adaptive"})");
  }
  Reasoning::Effort effort = unset;
  if (adaptive_) effort = request_.reasoning.effort;
  if (adaptive_ && effort == unset && request_.reasoning.budget_tokens) {
    effort = effort_of(*request_.reasoning.budget_tokens);
  }
  if (effort == unset && !native) return;
  out_.key("output_config").open_object();
  if (effort != unset) {
    std::string_view word = "low";
    if (effort == medium) word = "medium";
    if (effort == high) word = "high";
    if (effort == maximal) word = "max";
    out_.key("effort").string(word);
  }
  if (native) {
    out_.key("format").open_object();
    out_.key("type").string("json_schema");
    out_.key("schema").raw(format.schema);
    out_.close_object();
  }
  out_.close_object();
}

void Encoder::encode_sampling() {
  const bool thinks = budget_ > 0 || adaptive_;
  const double temperature = value_of(request_.temperature);
  if (!request_.temperature.empty()) {
    if (thinks && temperature != 1) {
      dropped_.add("temperature");
    } else if (temperature > 1) {
      out_.key("temperature").raw("1");  // OpenAI's goes to 2
      dropped_.add("temperature");
    } else {
      out_.key("temperature").raw(request_.temperature);
    }
  }
  if (!request_.top_p.empty()) {
    constexpr double least_with_thinking = 0.95;
    const bool fits = !thinks || value_of(request_.top_p) >= least_with_thinking;
    fits ? out_.key("top_p").raw(request_.top_p) : dropped_.add("top_p");
  }
  if (request_.top_k) thinks ? dropped_.add("top_k") : out_.key("top_k").integer(*request_.top_k);
  if (!request_.seed.empty()) dropped_.add("seed");
  if (value_of(request_.frequency_penalty) != 0) dropped_.add("frequency_penalty");
  if (value_of(request_.presence_penalty) != 0) dropped_.add("presence_penalty");
  if (request_.logprobs.value_or(false)) dropped_.add("logprobs");
  if (request_.top_logprobs.value_or(0) > 0) dropped_.add("top_logprobs");
  bool any = false;
  for (const Text& stop : request_.stop) {
    const std::string plain = stop.str();
    if (plain.find_first_not_of(" \t\r\n") == std::string::npos) {  // Anthropic refuses white space alone
      dropped_.add("stop");
      continue;
    }
    if (!any) out_.key("stop_sequences").open_array();
    any = true;
    out_.text(stop);
  }
  if (any) out_.close_array();
}

void Encoder::encode_tier() {
  const Text& tier = request_.service_tier;
  if (tier.empty()) return;
  if (tier == "auto" || tier == "standard_only") {
    out_.key("service_tier").text(tier);
  } else if (tier == "default") {
    out_.key("service_tier").string("standard_only");
  } else {
    dropped_.add("service_tier");
  }
}

}  // namespace

std::expected<EncodedRequest, Refusal> encode_request(const ChatRequest& request, const TargetTraits& target,
                                                      Dropped& dropped) {
  return Encoder{request, target, dropped}.encode();
}

}  // namespace weir::anthropic
