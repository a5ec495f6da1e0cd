#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dialects/vocabulary/content.hpp"
#include "dialects/vocabulary/dropped.hpp"

namespace weir::vocabulary {

/// system and developer stand where the caller put them; a dialect that takes them apart lifts them out in order.
/// A tool message has one or more ToolResultParts and nothing else.
enum class Role : std::uint8_t { system, developer, user, assistant, tool };

struct Message {
  Role role = Role::user;
  Text name;  ///< OpenAI's `name` of a participant
  std::vector<Part> parts;
};

struct Tool {
  Text name;
  Text description;
  std::string_view schema;  ///< JSON Schema of the arguments as written; empty = none
  std::optional<bool> strict;
  std::optional<CacheControl> cache;
  /// Not empty: a tool that the provider runs itself (web search, code), as written; only its own dialect takes it.
  std::string_view provider_tool;
};

enum class ToolChoice : std::uint8_t { unset, automatic, none, required, named };
enum class Format : std::uint8_t { text, json_object, json_schema };

struct ResponseFormat {
  Format format = Format::text;
  Text name;
  Text description;
  std::string_view schema;  ///< as written
  std::optional<bool> strict;
};

struct Reasoning {
  enum class Effort : std::uint8_t { unset, none, minimal, low, medium, high, maximal };
  Effort effort = Effort::unset;
  std::optional<std::int64_t> budget_tokens;  ///< Anthropic, Gemini; 0 = off
  bool adaptive = false;                      ///< the model decides how much (Anthropic "adaptive", Gemini -1)
  bool show = false;                          ///< the caller wants to see it (summaries, includeThoughts)
};

/// A top-level field that the vocabulary has no place for; reported as dropped when translated (SEMANTICS 25).
struct Extra {
  Text name;
  std::string_view raw;  ///< its value as written
  bool known = false;    ///< the API documents it: fit for a metric's label
};

/// One call in every dialect. Numbers that only pass through stay as spelled (std::string_view, empty = absent).
/// Lifetime: views point into the request body.
struct ChatRequest {
  Text model;
  std::vector<Message> messages;

  std::vector<Tool> tools;
  ToolChoice tool_choice = ToolChoice::unset;
  Text tool_name;  ///< with ToolChoice::named
  std::optional<bool> parallel_tool_calls;
  ResponseFormat response_format;
  Reasoning reasoning;

  std::optional<std::int64_t> max_output_tokens;
  std::optional<std::int64_t> n;
  std::optional<std::int64_t> top_k;
  std::string_view temperature;
  std::string_view top_p;
  std::string_view seed;
  std::string_view frequency_penalty;
  std::string_view presence_penalty;
  std::vector<Text> stop;
  std::optional<bool> logprobs;
  std::optional<std::int64_t> top_logprobs;

  Text user;  ///< OpenAI user, Anthropic metadata.user_id
  Text service_tier;
  bool stream = false;
  bool include_usage = false;  ///< the client asked for usage in its stream; other dialects always send it
  std::vector<Extra> extras;
};

/// The name of the tool that call `id` called, for dialects whose results name it; empty if there is no such call.
const Text& tool_name_of(const ChatRequest& request, const Text& id);

/// About how many bytes a body made of it has: to reserve them, so that a large one is copied once.
std::size_t body_bytes(const ChatRequest& request);

/// Names every extra as dropped.
void drop_extras(const ChatRequest& request, Dropped& dropped);

/// The effort that a budget of thinking tokens amounts to, and the budget for an effort where only the other is given.
/// `effort` is not unset or none.
Reasoning::Effort effort_of(std::int64_t budget_tokens);
std::int64_t budget_of(Reasoning::Effort effort);

}  // namespace weir::vocabulary
