#include "dialects/openai_completions/request_decoder.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::openai_completions {
namespace {

using namespace vocabulary;

constexpr std::array<std::string_view, 5> kKnownExtras{"best_of", "echo", "logit_bias", "logprobs", "suffix"};

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
    if (request_.messages.empty()) return refused("The request has no prompt.", "prompt");
    return std::move(request_);
  }

 private:
  static std::unexpected<Refusal> refused(std::string message, std::string param = {}) {
    return std::unexpected(Refusal{.message = std::move(message), .param = std::move(param), .code = {}});
  }

  bool read_field(std::string_view key) {
    if (key == "model") return read_text(cursor_, request_.model);
    if (key == "prompt") return read_prompt();
    if (key == "max_tokens") return read_integer(cursor_, request_.max_output_tokens);
    if (key == "n") return read_integer(cursor_, request_.n);
    if (key == "temperature") return read_number(cursor_, request_.temperature);
    if (key == "top_p") return read_number(cursor_, request_.top_p);
    if (key == "seed") return read_number(cursor_, request_.seed);
    if (key == "frequency_penalty") return read_number(cursor_, request_.frequency_penalty);
    if (key == "presence_penalty") return read_number(cursor_, request_.presence_penalty);
    if (key == "user") return read_text(cursor_, request_.user);
    if (key == "stream") return read_bool(cursor_, request_.stream);
    if (key == "stop") {
      request_.stop.clear();
      if (cursor_.peek() == '"') return read_text(cursor_, request_.stop.emplace_back());
      return each_element(cursor_, [&] { return read_text(cursor_, request_.stop.emplace_back()); });
    }
    if (key == "stream_options") {
      return each_member(cursor_, [&](std::string_view member) {
        return member == "include_usage" ? read_bool(cursor_, request_.include_usage) : cursor_.skip_value();
      });
    }
    return read_extra(key);
  }

  bool read_prompt() {
    request_.messages.clear();
    if (cursor_.peek() == '"') return read_one_prompt();
    return each_element(cursor_, [&] {
      const bool first_text = request_.messages.empty() && cursor_.peek() == '"';
      return first_text ? read_one_prompt() : cursor_.fail("one prompt as text: this model speaks in chats");
    });
  }
  bool read_one_prompt() {
    Text prompt;
    if (!read_text(cursor_, prompt)) return false;
    request_.messages.emplace_back().parts.push_back({TextPart{std::move(prompt), {}}});
    return true;
  }

  bool read_extra(std::string_view key) {
    std::string_view raw;
    if (!read_raw(cursor_, body_, raw)) return false;
    if (raw.empty() || raw == "false" || (key == "best_of" && raw == "1")) return true;
    const bool known = std::find(kKnownExtras.begin(), kKnownExtras.end(), key) != kKnownExtras.end();
    request_.extras.push_back({Text::owned(std::string{key}), raw, known});
    return true;
  }

  std::string_view body_;
  json::Cursor cursor_;
  ChatRequest request_;
};

}  // namespace

std::expected<ChatRequest, Refusal> decode_request(std::string_view body) {
  return Decoder{body}.decode();
}

}  // namespace weir::openai_completions
