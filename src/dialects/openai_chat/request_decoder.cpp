#include "dialects/openai_chat/request_decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_chat/message_decoder.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_chat {
namespace {

using namespace vocabulary;

/// Fields of the API that only this dialect has.
constexpr std::array<std::string_view, 16> kKnownExtras{"audio",
                                                        "function_call",
                                                        "functions",
                                                        "logit_bias",
                                                        "metadata",
                                                        "modalities",
                                                        "moderation",
                                                        "prediction",
                                                        "prompt_cache_key",
                                                        "prompt_cache_retention",
                                                        "safety_identifier",
                                                        "store",
                                                        "stream_options",
                                                        "thinking",
                                                        "verbosity",
                                                        "web_search_options"};

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
      return refused(fmt::format("The request body is not what this API takes: at byte {} should be {}.",
                                 cursor_.offset(), cursor_.problem()),
                     is_field(at) ? at : "");
    }
    if (max_completion_tokens_) request_.max_output_tokens = max_completion_tokens_;
    if (!store_) std::erase_if(request_.extras, [](const Extra& extra) { return extra.name == "metadata"; });
    return std::move(request_);
  }

 private:
  static std::unexpected<Refusal> refused(std::string message, std::string param = {}) {
    return std::unexpected(Refusal{.message = std::move(message), .param = std::move(param), .code = {}});
  }
  static bool is_field(std::string_view name) {
    return !name.empty() && name.size() <= 40 &&
           std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  }

  bool read_field(std::string_view key);
  bool read_tools();
  bool read_tool(Tool& into);
  bool read_tool_choice();
  bool read_response_format();
  bool read_effort();
  bool read_thinking();
  bool read_stop();
  bool read_extra(std::string_view key);

  std::string_view body_;
  json::Cursor cursor_;
  ChatRequest request_;
  std::optional<std::int64_t> max_completion_tokens_;
  bool store_ = false;
};

bool Decoder::read_field(std::string_view key) {
  if (key == "model") return read_text(cursor_, request_.model);
  if (key == "messages") {
    request_.messages.clear();
    return each_element(cursor_,
                        [&] { return MessageDecoder{cursor_, body_}.read_message(request_.messages.emplace_back()); });
  }
  if (key == "tools") return read_tools();
  if (key == "tool_choice") return read_tool_choice();
  if (key == "parallel_tool_calls") return read_bool(cursor_, request_.parallel_tool_calls);
  if (key == "response_format") return read_response_format();
  if (key == "reasoning_effort") return read_effort();
  if (key == "thinking") return read_thinking();
  if (key == "max_tokens") return read_integer(cursor_, request_.max_output_tokens);
  if (key == "max_completion_tokens") return read_integer(cursor_, max_completion_tokens_);
  if (key == "n") return read_integer(cursor_, request_.n);
  if (key == "top_k") return read_integer(cursor_, request_.top_k);
  if (key == "temperature") return read_number(cursor_, request_.temperature);
  if (key == "top_p") return read_number(cursor_, request_.top_p);
  if (key == "seed") return read_number(cursor_, request_.seed);
  if (key == "frequency_penalty") return read_number(cursor_, request_.frequency_penalty);
  if (key == "presence_penalty") return read_number(cursor_, request_.presence_penalty);
  if (key == "stop") return read_stop();
  if (key == "logprobs") return read_bool(cursor_, request_.logprobs);
  if (key == "top_logprobs") return read_integer(cursor_, request_.top_logprobs);
  if (key == "user") return read_text(cursor_, request_.user);
  if (key == "service_tier") return read_text(cursor_, request_.service_tier);
  if (key == "stream") return read_bool(cursor_, request_.stream);
  if (key == "stream_options") {
    return each_member(cursor_, [&](std::string_view member) {
      return member == "include_usage" ? read_bool(cursor_, request_.include_usage) : cursor_.skip_value();
    });
  }
  return read_extra(key);
}

bool Decoder::read_extra(std::string_view key) {
  std::string_view raw;
  if (!read_raw(cursor_, body_, raw)) return false;
  if (key == "store") store_ = raw == "true";
  // What says no more than leaving it out says is not reported.
  if (raw.empty() || (key == "store" && !store_) || (key == "modalities" && raw == R"(["text"])")) return true;
  const bool known = std::find(kKnownExtras.begin(), kKnownExtras.end(), key) != kKnownExtras.end();
  request_.extras.push_back({Text::owned(std::string{key}), raw, known});
  return true;
}

bool Decoder::read_tools() {
  request_.tools.clear();
  return each_element(cursor_, [&] { return read_tool(request_.tools.emplace_back()); });
}

bool Decoder::read_tool(Tool& into) {
  if (cursor_.peek() != '{') return cursor_.fail("a tool as an object");
  const std::size_t begin = cursor_.offset();
  Text type;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key != "function") return cursor_.skip_value();
    return each_member(cursor_, [&](std::string_view member) {
      if (member == "name") return read_text(cursor_, into.name);
      if (member == "description") return read_text(cursor_, into.description);
      if (member == "parameters") return read_raw_object(cursor_, body_, into.schema);
      return member == "strict" ? read_bool(cursor_, into.strict) : cursor_.skip_value();
    });
  });
  if (!read) return false;
  if (!type.empty() && !(type == "function")) {
    into.provider_tool = body_.substr(begin, cursor_.offset() - begin);
  } else if (into.name.empty()) {
    return cursor_.fail("a function with a name");
  }
  return true;
}

bool Decoder::read_tool_choice() {
  if (cursor_.peek() == '{') {
    Text type;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "type") return read_text(cursor_, type);
      if (key != "function") return cursor_.skip_value();
      return each_member(cursor_, [&](std::string_view member) {
        return member == "name" ? read_text(cursor_, request_.tool_name) : cursor_.skip_value();
      });
    });
    if (!read) return false;
    if (!(type == "function") || request_.tool_name.empty()) return cursor_.fail("a tool_choice that names a function");
    request_.tool_choice = ToolChoice::named;
    return true;
  }
  Text word;
  if (!read_text(cursor_, word)) return false;
  if (word.empty()) return true;
  if (word == "auto") {
    request_.tool_choice = ToolChoice::automatic;
  } else if (word == "none") {
    request_.tool_choice = ToolChoice::none;
  } else if (word == "required") {
    request_.tool_choice = ToolChoice::required;
  } else {
    return cursor_.fail("auto, none, required or a function");
  }
  return true;
}

bool Decoder::read_response_format() {
  ResponseFormat& format = request_.response_format;
  Text type;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key != "json_schema") return cursor_.skip_value();
    return each_member(cursor_, [&](std::string_view member) {
      if (member == "name") return read_text(cursor_, format.name);
      if (member == "description") return read_text(cursor_, format.description);
      if (member == "schema") return read_raw_object(cursor_, body_, format.schema);
      return member == "strict" ? read_bool(cursor_, format.strict) : cursor_.skip_value();
    });
  });
  if (!read) return false;
  if (type == "json_schema") {
    if (format.schema.empty()) return cursor_.fail("a json_schema with a schema");
    format.format = Format::json_schema;
  } else if (type == "json_object") {
    format.format = Format::json_object;
  } else if (!type.empty() && !(type == "text")) {
    return cursor_.fail("a response_format of type text, json_object or json_schema");
  }
  return true;
}

bool Decoder::read_effort() {
  using enum Reasoning::Effort;
  constexpr std::array<std::pair<std::string_view, Reasoning::Effort>, 7> words{{{"none", none},
                                                                                 {"minimal", minimal},
                                                                                 {"low", low},
                                                                                 {"medium", medium},
                                                                                 {"high", high},
                                                                                 {"xhigh", maximal},
                                                                                 {"max", maximal}}};
  Text word;
  if (!read_text(cursor_, word)) return false;
  if (word.empty()) return true;
  const auto row = std::find_if(words.begin(), words.end(), [&](const auto& known) { return word == known.first; });
  if (row == words.end()) return cursor_.fail("none, minimal, low, medium, high or xhigh");
  request_.reasoning.effort = row->second;
  return true;
}

/// Not OpenAI's own, but what compatible servers take: {"type": "enabled", "budget_tokens": 4096}.
bool Decoder::read_thinking() {
  if (cursor_.peek() != '{') return read_extra("thinking");
  Text type;
  Reasoning& reasoning = request_.reasoning;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    return key == "budget_tokens" ? read_integer(cursor_, reasoning.budget_tokens) : cursor_.skip_value();
  });
  if (!read) return false;
  if (type == "disabled") reasoning.budget_tokens = 0;
  if (type == "adaptive") reasoning.adaptive = true;
  if (type == "enabled" && !reasoning.budget_tokens && reasoning.effort == Reasoning::Effort::unset) {
    reasoning.effort = Reasoning::Effort::medium;
  }
  return true;
}

bool Decoder::read_stop() {
  request_.stop.clear();
  if (cursor_.peek() != '"')
    return each_element(cursor_, [&] { return read_text(cursor_, request_.stop.emplace_back()); });
  return read_text(cursor_, request_.stop.emplace_back());
}

}  // namespace

std::expected<ChatRequest, Refusal> decode_request(std::string_view body) {
  return Decoder{body}.decode();
}

}  // namespace weir::openai_chat
