#include "dialects/openai_responses/request_decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/openai_responses/item_decoder.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_responses {
namespace {

using namespace vocabulary;

constexpr std::array<std::string_view, 10> kKnownExtras{
    "include",        "max_tool_calls", "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
    "stream_options", "truncation",     "store",    "verbosity"};
/// What leans on state that weir does not keep.
constexpr std::array<std::string_view, 3> kStored{"previous_response_id", "conversation", "prompt"};

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
      return refused(fmt::format("The request body is not what this API takes: at byte {} should be {}.",
                                 cursor_.offset(), cursor_.problem()),
                     nameable ? at : "");
    }
    if (!stored_.empty()) {
      Refusal refusal{.message = fmt::format("weir stores no answers and the chosen provider speaks another dialect: "
                                             "send the whole conversation as input instead of {}.",
                                             stored_),
                      .param = std::string{stored_},
                      .code = "unsupported_parameter"};
      return std::unexpected(std::move(refusal));
    }
    if (!instructions_.empty()) {
      Message system{.role = Role::developer, .name = {}, .parts = {}};
      system.parts.push_back({TextPart{std::move(instructions_), {}}});
      request_.messages.insert(request_.messages.begin(), std::move(system));
    }
    request_.include_usage = true;  // this dialect always says it
    return std::move(request_);
  }

 private:
  static std::unexpected<Refusal> refused(std::string message, std::string param = {}) {
    return std::unexpected(Refusal{.message = std::move(message), .param = std::move(param), .code = {}});
  }

  bool read_field(std::string_view key);
  bool read_input();
  bool read_tool(Tool& into);
  bool read_tool_choice();
  bool read_text_settings();
  bool read_format();
  bool read_reasoning();
  bool read_include();
  bool read_extra(std::string_view key);
  void add_extra(std::string name, bool known) {
    request_.extras.push_back({Text::owned(std::move(name)), "null", known});
  }

  std::string_view body_;
  json::Cursor cursor_;
  ChatRequest request_;
  Text instructions_;
  std::string_view stored_;
};

bool Decoder::read_field(std::string_view key) {
  if (key == "model") return read_text(cursor_, request_.model);
  if (key == "input") return read_input();
  if (key == "instructions") return read_text(cursor_, instructions_);
  if (key == "tools") {
    request_.tools.clear();
    return each_element(cursor_, [&] { return read_tool(request_.tools.emplace_back()); });
  }
  if (key == "tool_choice") return read_tool_choice();
  if (key == "parallel_tool_calls") return read_bool(cursor_, request_.parallel_tool_calls);
  if (key == "text") return read_text_settings();
  if (key == "reasoning") return read_reasoning();
  if (key == "max_output_tokens") return read_integer(cursor_, request_.max_output_tokens);
  if (key == "temperature") return read_number(cursor_, request_.temperature);
  if (key == "top_p") return read_number(cursor_, request_.top_p);
  if (key == "top_logprobs") return read_integer(cursor_, request_.top_logprobs);
  if (key == "user") return read_text(cursor_, request_.user);
  if (key == "service_tier") return read_text(cursor_, request_.service_tier);
  if (key == "stream") return read_bool(cursor_, request_.stream);
  if (key == "include") return read_include();
  for (const std::string_view name : kStored) {
    if (key != name) continue;
    if (cursor_.peek() != 'n') stored_ = name;
    return cursor_.skip_value();
  }
  if (key == "background") {
    bool background = false;
    if (!read_bool(cursor_, background)) return false;
    if (background) stored_ = "background";
    return true;
  }
  return read_extra(key);
}

bool Decoder::read_input() {
  request_.messages.clear();
  if (cursor_.peek() == '"') {
    Text text;
    if (!read_text(cursor_, text)) return false;
    request_.messages.emplace_back().parts.push_back({TextPart{std::move(text), {}}});
    return true;
  }
  ItemDecoder items(cursor_, body_);
  if (!each_element(cursor_, [&] { return items.read_item(request_.messages); })) return false;
  for (const Text& type : items.unknown()) add_extra("input." + type.str().substr(0, 48), false);
  return true;
}

bool Decoder::read_extra(std::string_view key) {
  std::string_view raw;
  if (!read_raw(cursor_, body_, raw)) return false;
  // What says no more than weir does anyway is not reported.
  if (raw.empty() || raw == "{}" || (key == "store" && raw == "false") || raw == R"("disabled")") return true;
  add_extra(std::string{key}, std::find(kKnownExtras.begin(), kKnownExtras.end(), key) != kKnownExtras.end());
  return true;
}

bool Decoder::read_include() {
  return each_element(cursor_, [&] {
    Text what;
    if (!read_text(cursor_, what)) return false;
    if (what == "message.output_text.logprobs") {
      request_.logprobs = true;
    } else if (!(what == "reasoning.encrypted_content")) {  // that comes without asking
      add_extra("include", true);
    }
    return true;
  });
}

bool Decoder::read_tool(Tool& into) {
  if (cursor_.peek() != '{') return cursor_.fail("a tool as an object");
  const std::size_t begin = cursor_.offset();
  Text type;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key == "name" && cursor_.peek() == '"') return read_text(cursor_, into.name);
    if (key == "description" && cursor_.peek() == '"') return read_text(cursor_, into.description);
    if (key == "parameters") return read_raw_object(cursor_, body_, into.schema);
    return key == "strict" ? read_bool(cursor_, into.strict) : cursor_.skip_value();
  });
  if (!read) return false;
  if (!(type == "function")) {
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
      return key == "name" ? read_text(cursor_, request_.tool_name) : cursor_.skip_value();
    });
    if (!read) return false;
    if (!(type == "function") || request_.tool_name.empty()) return cursor_.fail("a tool_choice that names a function");
    request_.tool_choice = ToolChoice::named;
    return true;
  }
  Text word;
  if (!read_text(cursor_, word)) return false;
  if (word == "auto") {
    request_.tool_choice = ToolChoice::automatic;
  } else if (word == "none") {
    request_.tool_choice = ToolChoice::none;
  } else if (word == "required") {
    request_.tool_choice = ToolChoice::required;
  } else if (!word.empty()) {
    return cursor_.fail("auto, none, required or a function");
  }
  return true;
}

bool Decoder::read_text_settings() {
  return each_member(cursor_, [&](std::string_view key) {
    if (key == "format") return read_format();
    return key == "verbosity" ? read_extra("verbosity") : cursor_.skip_value();
  });
}

bool Decoder::read_format() {
  ResponseFormat& format = request_.response_format;
  Text type;
  const bool read = each_member(cursor_, [&](std::string_view key) {
    if (key == "type") return read_text(cursor_, type);
    if (key == "name") return read_text(cursor_, format.name);
    if (key == "description") return read_text(cursor_, format.description);
    if (key == "schema") return read_raw_object(cursor_, body_, format.schema);
    return key == "strict" ? read_bool(cursor_, format.strict) : cursor_.skip_value();
  });
  if (!read) return false;
  if (type == "json_schema") {
    if (format.schema.empty()) return cursor_.fail("a json_schema with a schema");
    format.format = Format::json_schema;
  } else if (type == "json_object") {
    format.format = Format::json_object;
  } else if (!type.empty() && !(type == "text")) {
    return cursor_.fail("a format of type text, json_object or json_schema");
  }
  return true;
}

bool Decoder::read_reasoning() {
  using enum Reasoning::Effort;
  return each_member(cursor_, [&](std::string_view key) {
    Text word;
    if (key != "effort" && key != "summary") return cursor_.skip_value();
    if (!read_text(cursor_, word)) return false;
    if (key == "summary") {
      request_.reasoning.show = !word.empty();
      return true;
    }
    Reasoning::Effort& effort = request_.reasoning.effort;
    constexpr std::array<std::pair<std::string_view, Reasoning::Effort>, 6> words{
        {{"none", none}, {"minimal", minimal}, {"low", low}, {"medium", medium}, {"high", high}, {"xhigh", maximal}}};
    for (const auto& [name, meaning] : words) {
      if (word == name) effort = meaning;
    }
    return word.empty() || effort != unset || cursor_.fail("none, minimal, low, medium, high or xhigh");
  });
}

}  // namespace

std::expected<ChatRequest, Refusal> decode_request(std::string_view body) {
  return Decoder{body}.decode();
}

}  // namespace weir::openai_responses
