#include "dialects/anthropic/request_decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dialects/anthropic/block_decoder.hpp"
#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::anthropic {
namespace {

using namespace vocabulary;

constexpr std::array<std::string_view, 7> kKnownExtras{"container",   "context_management", "inference_geo", "metadata",
                                                       "mcp_servers", "cache_control",      "speed"};

class Decoder {
 public:
  explicit Decoder(std::string_view body) : body_(body), cursor_(body) {}

  std::expected<ChatRequest, Refusal> decode() {
    if (!json::valid_utf8(body_)) return refused("The request body is not UTF-8.");
    if (cursor_.peek() != '{') return refused("The request body must be a JSON object.");
    std::string at;  // the top-level field that is being read
    const bool read = each_member(cursor_, [&](std::string_view key) {
      at = key;
      return read_field(key);
    });
    if (!read || !cursor_.at_end()) {
      const bool nameable = at.size() <= 40 && std::all_of(at.begin(), at.end(),
                                                           [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
      return refused(fmt::format("{}: at byte {} should be {}.", nameable && !at.empty() ? at : "request body",
                                 cursor_.offset(), cursor_.problem()),
                     nameable ? at : "");
    }
    if (!system_.parts.empty()) request_.messages.insert(request_.messages.begin(), std::move(system_));
    request_.include_usage = true;  // this dialect always says it
    return std::move(request_);
  }

 private:
  static std::unexpected<Refusal> refused(std::string message, std::string param = {}) {
    return std::unexpected(Refusal{.message = std::move(message), .param = std::move(param), .code = {}});
  }

  bool read_field(std::string_view key);
  bool read_message();
  void split(Role role, std::vector<Part> parts);
  bool read_tool(Tool& into);
  bool read_tool_choice();
  bool read_thinking();
  bool read_output_config();
  bool read_format();
  bool read_extra(std::string_view key);
  void note_unknown(const BlockDecoder& blocks);

  std::string_view body_;
  json::Cursor cursor_;
  ChatRequest request_;
  Message system_{.role = Role::system, .name = {}, .parts = {}};
};

bool Decoder::read_field(std::string_view key) {
  if (key == "model") return read_text(cursor_, request_.model);
  if (key == "messages") {
    request_.messages.clear();
    return each_element(cursor_, [&] { return read_message(); });
  }
  if (key == "system") {
    system_.parts.clear();
    BlockDecoder blocks(cursor_, body_);
    return blocks.read_content(system_.parts);
  }
  if (key == "max_tokens") return read_integer(cursor_, request_.max_output_tokens);
  if (key == "tools") {
    request_.tools.clear();
    return each_element(cursor_, [&] { return read_tool(request_.tools.emplace_back()); });
  }
  if (key == "tool_choice") return read_tool_choice();
  if (key == "temperature") return read_number(cursor_, request_.temperature);
  if (key == "top_p") return read_number(cursor_, request_.top_p);
  if (key == "top_k") return read_integer(cursor_, request_.top_k);
  if (key == "stop_sequences") {
    request_.stop.clear();
    return each_element(cursor_, [&] { return read_text(cursor_, request_.stop.emplace_back()); });
  }
  if (key == "stream") return read_bool(cursor_, request_.stream);
  if (key == "service_tier") return read_text(cursor_, request_.service_tier);
  if (key == "metadata") {
    return each_member(cursor_, [&](std::string_view member) {
      return member == "user_id" ? read_text(cursor_, request_.user) : cursor_.skip_value();
    });
  }
  if (key == "thinking") return read_thinking();
  if (key == "output_config") return read_output_config();
  if (key == "output_format") return read_format();
  return read_extra(key);
}

bool Decoder::read_extra(std::string_view key) {
  std::string_view raw;
  if (!read_raw(cursor_, body_, raw)) return false;
  if (raw.empty()) return true;
  const bool known = std::find(kKnownExtras.begin(), kKnownExtras.end(), key) != kKnownExtras.end();
  request_.extras.push_back({Text::owned(std::string{key}), raw, known});
  return true;
}

void Decoder::note_unknown(const BlockDecoder& blocks) {
  for (const Text& type : blocks.unknown()) {
    request_.extras.push_back({Text::owned("messages." + type.str().substr(0, 48)), "null", false});
  }
}

bool Decoder::read_message() {
  Text role;
  std::vector<Part> parts;
  BlockDecoder blocks(cursor_, body_);
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "role") return read_text(cursor_, role);
    if (key != "content") return cursor_.skip_value();
    parts.clear();
    return blocks.read_content(parts);
  });
  if (!read) return false;
  note_unknown(blocks);
  if (role == "assistant") {
    request_.messages.push_back({.role = Role::assistant, .name = {}, .parts = std::move(parts)});
  } else if (role == "user") {
    split(Role::user, std::move(parts));
  } else if (role == "system") {
    request_.messages.push_back({.role = Role::system, .name = {}, .parts = std::move(parts)});
  } else {
    return cursor_.fail("a role: user or assistant");
  }
  return true;
}

/// Tool results are messages of their own in the vocabulary; the order is kept.
void Decoder::split(Role role, std::vector<Part> parts) {
  if (parts.empty()) request_.messages.push_back({.role = role, .name = {}, .parts = {}});
  std::optional<Role> last;
  for (Part& part : parts) {
    const Role own = part.as<ToolResultPart>() != nullptr ? Role::tool : role;
    if (last != own) request_.messages.push_back({.role = own, .name = {}, .parts = {}});
    last = own;
    request_.messages.back().parts.push_back(std::move(part));
  }
}

bool Decoder::read_tool(Tool& into) {
  if (cursor_.peek() != '{') return cursor_.fail("a tool as an object");
  const std::size_t begin = cursor_.offset();
  Text type;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key == "name") return read_text(cursor_, into.name);
    if (key == "description") return read_text(cursor_, into.description);
    if (key == "input_schema") return read_raw_object(cursor_, body_, into.schema);
    if (key == "strict") return read_bool(cursor_, into.strict);
    return key == "cache_control" ? read_cache_control(cursor_, into.cache) : cursor_.skip_value();
  });
  if (!read) return false;
  if (!type.empty() && !(type == "custom")) {
    into.provider_tool = body_.substr(begin, cursor_.offset() - begin);
  } else if (into.name.empty()) {
    return cursor_.fail("a tool with a name");
  }
  return true;
}

bool Decoder::read_tool_choice() {
  Text type;
  std::optional<bool> disable;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key == "name") return read_text(cursor_, request_.tool_name);
    return key == "disable_parallel_tool_use" ? read_bool(cursor_, disable) : cursor_.skip_value();
  });
  if (!read) return false;
  if (disable) request_.parallel_tool_calls = !*disable;
  if (type.empty()) return true;
  if (type == "auto") {
    request_.tool_choice = ToolChoice::automatic;
  } else if (type == "any") {
    request_.tool_choice = ToolChoice::required;
  } else if (type == "none") {
    request_.tool_choice = ToolChoice::none;
  } else if (type == "tool" && !request_.tool_name.empty()) {
    request_.tool_choice = ToolChoice::named;
  } else {
    return cursor_.fail("auto, any, none, or tool with a name");
  }
  return true;
}

bool Decoder::read_thinking() {
  Text type;
  Reasoning& reasoning = request_.reasoning;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    return key == "budget_tokens" ? read_integer(cursor_, reasoning.budget_tokens) : cursor_.skip_value();
  });
  if (!read) return false;
  if (type == "disabled") {
    reasoning.budget_tokens = 0;
  } else if (type == "adaptive") {
    reasoning.adaptive = true;
  } else if (type == "enabled") {
    if (!reasoning.budget_tokens) return cursor_.fail("thinking with its budget_tokens");
  } else if (!type.empty()) {
    return cursor_.fail("thinking of type enabled, adaptive or disabled");
  }
  reasoning.show = !type.empty() && !(type == "disabled");
  return true;
}

bool Decoder::read_output_config() {
  return each_member(cursor_, [&](std::string_view key) {
    if (key == "format") return read_format();
    if (key != "effort") return cursor_.skip_value();
    Text word;
    if (!read_text(cursor_, word)) return false;
    using enum Reasoning::Effort;
    Reasoning::Effort& effort = request_.reasoning.effort;
    if (word == "low") effort = low;
    if (word == "medium") effort = medium;
    if (word == "high") effort = high;
    if (word == "max" || word == "xhigh") effort = maximal;
    return true;
  });
}

bool Decoder::read_format() {
  ResponseFormat& format = request_.response_format;
  Text type;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    return key == "schema" ? read_raw_object(cursor_, body_, format.schema) : cursor_.skip_value();
  });
  if (read && type == "json_schema" && !format.schema.empty()) {
    format.format = Format::json_schema;
    format.strict = true;
  }
  return read;
}

}  // namespace

std::expected<ChatRequest, Refusal> decode_request(std::string_view body) {
  return Decoder{body}.decode();
}

}  // namespace weir::anthropic
