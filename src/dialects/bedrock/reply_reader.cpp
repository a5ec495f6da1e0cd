#include "dialects/bedrock/reply_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::bedrock {
namespace {

using namespace vocabulary;

constexpr std::int64_t kTokensMax = 1LL << 40;  // no reply has a trillion tokens; its price still fits the money

class ReplyReader {
 public:
  ReplyReader(std::string_view bytes, const ReplyHints& hints, ChatReply& into)
      : bytes_{bytes}, cursor_{bytes}, hints_{hints}, choice_{into.choices.emplace_back()}, usage_{into.usage} {}

  bool run() {
    if (cursor_.peek() != '{') return cursor_.fail("an object");
    const bool read = each_member(cursor_, [this](std::string_view key) {
      if (key == "output") {
        return each_member(
            cursor_, [this](std::string_view name) { return name == "message" ? message() : cursor_.skip_value(); });
      }
      if (key == "stopReason") return read_text(cursor_, stop_reason_);
      if (key == "usage") return read_usage(cursor_, usage_);
      return cursor_.skip_value();
    });
    if (!read || !cursor_.at_end()) return false;
    return (has_message_ && !stop_reason_.empty()) || cursor_.fail("a message and a stopReason");
  }
  std::string_view problem() const { return cursor_.problem(); }
  const Text& stop_reason() const { return stop_reason_; }
  bool has_calls() const { return has_calls_; }

 private:
  bool message() {
    return each_member(cursor_, [this](std::string_view key) {
      if (key != "content") return cursor_.skip_value();
      has_message_ = true;
      return each_element(cursor_, [this] { return block(); });
    });
  }

  bool block() {
    return each_member(cursor_, [this](std::string_view key) {
      if (key == "text") {
        Text text;
        if (!read_text(cursor_, text)) return false;
        if (!text.empty()) add(TextPart{.text = std::move(text), .citations = {}});
        return true;
      }
      if (key == "toolUse") return tool_use();
      if (key == "reasoningContent") return reasoning();
      if (key == "citationsContent") return cited();
      return cursor_.skip_value();
    });
  }

  bool tool_use() {
    ToolCallPart call;
    std::string_view input;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "toolUseId") return read_text(cursor_, call.id);
      if (key == "name") return read_text(cursor_, call.name);
      return key == "input" ? read_raw_object(cursor_, bytes_, input) : cursor_.skip_value();
    });
    if (!read) return false;
    if (call.name.empty()) return cursor_.fail("the name of a tool call");
    if (!hints_.schema_tool.empty() && call.name == hints_.schema_tool) {
      add(TextPart{.text = Text::plain(input.empty() ? std::string_view{"{}"} : input), .citations = {}});
      return true;
    }
    has_calls_ = true;
    call.arguments = Text::plain(input);
    add(std::move(call));
    return true;
  }

  bool reasoning() {
    ThinkingPart thinking;
    Text redacted;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "redactedContent") return read_text(cursor_, redacted);
      if (key != "reasoningText") return cursor_.skip_value();
      return each_member(cursor_, [&](std::string_view name) {
        if (name == "text") return read_text(cursor_, thinking.text);
        return name == "signature" ? read_text(cursor_, thinking.signature) : cursor_.skip_value();
      });
    });
    if (!read) return false;
    if (!redacted.empty()) add(RedactedThinkingPart{.data = std::move(redacted)});
    if (!thinking.text.empty() || !thinking.signature.empty()) add(std::move(thinking));
    return true;
  }

  /// A text with where its statements come from.
  bool cited() {
    std::vector<Citation> citations;
    std::vector<Text> texts;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "content") {
        return each_element(cursor_, [&] {
          return each_member(cursor_, [&](std::string_view name) {
            return name == "text" ? read_text(cursor_, texts.emplace_back()) : cursor_.skip_value();
          });
        });
      }
      if (key != "citations") return cursor_.skip_value();
      return each_element(cursor_, [&] {
        Citation& citation = citations.emplace_back();
        const std::size_t begin = cursor_.offset();
        const bool whole = each_member(cursor_, [&](std::string_view name) {
          return name == "title" ? read_text(cursor_, citation.title) : cursor_.skip_value();
        });
        citation.raw = bytes_.substr(begin, cursor_.offset() - begin);
        return whole;
      });
    });
    if (!read) return false;
    for (Text& text : texts) add(TextPart{.text = std::move(text), .citations = std::exchange(citations, {})});
    return true;
  }

  template <class Kind>
  void add(Kind part) {
    choice_.parts.push_back({.value = std::move(part)});
  }

  std::string_view bytes_;
  json::Cursor cursor_;
  const ReplyHints& hints_;
  Choice& choice_;
  UsageReport& usage_;
  Text stop_reason_;
  bool has_message_ = false;
  bool has_calls_ = false;
};

}  // namespace

bool read_usage(json::Cursor& cursor, UsageReport& into) {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t read_cached = 0;
  std::int64_t written = 0;
  std::int64_t written_1h = 0;
  const bool read = each_member(cursor, [&](std::string_view key) {
    if (key == "inputTokens") return read_integer(cursor, input);
    if (key == "outputTokens") return read_integer(cursor, output);
    if (key == "cacheReadInputTokens") return read_integer(cursor, read_cached);
    if (key == "cacheWriteInputTokens") return read_integer(cursor, written);
    if (key != "cacheDetails") return cursor.skip_value();
    return each_element(cursor, [&] {
      Text ttl;
      std::int64_t tokens = 0;
      const bool whole = each_member(cursor, [&](std::string_view name) {
        if (name == "ttl") return read_text(cursor, ttl);
        return name == "inputTokens" ? read_integer(cursor, tokens) : cursor.skip_value();
      });
      if (ttl == "1h") written_1h = tokens;
      return whole;
    });
  });
  if (!read) return false;
  for (const std::int64_t count : {input, output, read_cached, written, written_1h}) {
    if (count < 0 || count > kTokensMax) return true;  // nonsense: as if nothing had been said
  }
  into.usage = {.uncached = input,  // without what came from the cache or went into it (SEMANTICS 4)
                .cache_read = read_cached,
                .cache_write = written,
                .output = output,
                .reasoning = 0,
                .reported = true};
  into.details.cache_write_1h = std::min(written_1h, written);
  return true;
}

std::expected<Finish, std::string> finish_of(const Text& reason, bool has_calls) {
  if (reason == "malformed_model_output" || reason == "malformed_tool_use") {
    return std::unexpected("The model broke off: it wrote a malformed answer.");
  }
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Finish::length;
  if (reason == "guardrail_intervened" || reason == "content_filtered") return Finish::content_filter;
  if (reason == "stop_sequence") return Finish::stop_sequence;
  return has_calls ? Finish::tool_calls : Finish::stop;
}

std::expected<ChatReply, std::string> decode_reply(std::string_view body, const ReplyHints& hints) {
  if (!json::valid_utf8(body)) return std::unexpected("The answer is not UTF-8");
  ChatReply reply;
  ReplyReader reader{body, hints, reply};
  if (!reader.run()) {
    return std::unexpected(fmt::format("The answer is not what Bedrock answers: {} was expected", reader.problem()));
  }
  const auto finish = finish_of(reader.stop_reason(), reader.has_calls());
  if (!finish) return std::unexpected(finish.error());
  reply.choices.front().finish = *finish;
  return reply;
}

}  // namespace weir::bedrock
