#include "dialects/gemini/reply_reader.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "dialects/json/utf8.hpp"
#include "dialects/vocabulary/read.hpp"

namespace weir::gemini {
namespace {

using namespace vocabulary;

constexpr std::int64_t kTokensMax = 1LL << 40;  // no reply has a trillion tokens; its price still fits the money

class AnswerReader {
 public:
  AnswerReader(std::string_view bytes, Answer& into) : bytes_{bytes}, cursor_{bytes}, into_{into} {}

  bool run() {
    if (cursor_.peek() != '{') return cursor_.fail("an object");
    return each_member(cursor_, [this](std::string_view key) { return member(key); }) && cursor_.at_end();
  }
  std::string_view problem() const { return cursor_.problem(); }

 private:
  bool member(std::string_view key) {
    if (key == "candidates") {
      into_.known = true;
      return each_element(cursor_, [this] { return candidate(); });
    }
    if (key == "promptFeedback") {
      into_.known = true;
      return each_member(cursor_, [this](std::string_view name) {
        if (name != "blockReason") return cursor_.skip_value();
        into_.blocked = true;
        return cursor_.skip_value();
      });
    }
    if (key == "usageMetadata") {
      into_.known = true;
      return usage();
    }
    if (key == "error") into_.is_error = into_.known = true;
    if (key == "modelVersion") return read_text(cursor_, into_.model);
    if (key == "responseId") return read_text(cursor_, into_.id);
    return cursor_.skip_value();
  }

  bool candidate() {
    Candidate candidate;
    std::int64_t index = 0;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "content") {
        return each_member(cursor_, [&](std::string_view name) {
          if (name != "parts") return cursor_.skip_value();
          return each_element(cursor_, [&] { return part(candidate.parts); });
        });
      }
      if (key == "finishReason") return read_text(cursor_, candidate.finish_reason);
      if (key == "index") return read_integer(cursor_, index);
      if (key == "citationMetadata") {
        return each_member(cursor_, [&](std::string_view name) {
          if (name != "citationSources" && name != "citations") return cursor_.skip_value();
          return each_element(cursor_, [&] { return citation(candidate.citations); });
        });
      }
      return cursor_.skip_value();
    });
    if (!read) return false;
    if (index < 0 || index >= kCandidatesMax) return cursor_.fail("the index of a candidate");
    candidate.index = static_cast<std::uint32_t>(index);
    into_.candidates.push_back(std::move(candidate));
    return true;
  }

  bool part(std::vector<Part>& parts) {
    Text text;
    Text signature;
    bool thought = false;
    bool called = false;
    ToolCallPart call;
    Media media;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "text") return read_text(cursor_, text);
      if (key == "thought") return read_bool(cursor_, thought);
      if (key == "thoughtSignature") return read_text(cursor_, signature);
      if (key == "functionCall") {
        called = true;
        return function_call(call);
      }
      if (key == "inlineData") {
        return each_member(cursor_, [&](std::string_view name) {
          if (name == "mimeType") return read_text(cursor_, media.media_type);
          return name == "data" ? read_text(cursor_, media.data) : cursor_.skip_value();
        });
      }
      return cursor_.skip_value();
    });
    if (!read) return false;
    if (called) {
      call.signature = std::move(signature);
      parts.push_back({.value = std::move(call)});
      return true;
    }
    if (!media.data.empty()) parts.push_back({.value = ImagePart{.media = std::move(media), .detail = {}}});
    if (thought) {
      if (text.empty() && signature.empty()) return true;
      parts.push_back({.value = ThinkingPart{.text = std::move(text), .signature = std::move(signature), .id = {}}});
      return true;
    }
    if (!text.empty()) parts.push_back({.value = TextPart{.text = std::move(text), .citations = {}}});
    if (!signature.empty()) {
      parts.push_back({.value = ThinkingPart{.text = {}, .signature = std::move(signature), .id = {}}});
    }
    return true;
  }

  bool function_call(ToolCallPart& call) {
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "id") return read_text(cursor_, call.id);
      if (key == "name") return read_text(cursor_, call.name);
      if (key != "args") return cursor_.skip_value();
      std::string_view arguments;
      if (!read_raw_object(cursor_, bytes_, arguments)) return false;
      call.arguments = Text::plain(arguments);
      return true;
    });
    return read && (!call.name.empty() || cursor_.fail("the name of a function call"));
  }

  bool citation(std::vector<Citation>& citations) {
    Citation citation;
    const std::size_t begin = cursor_.offset();
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "uri") return read_text(cursor_, citation.url);
      if (key == "title") return read_text(cursor_, citation.title);
      if (key == "startIndex") return read_integer(cursor_, citation.start);
      if (key == "endIndex") return read_integer(cursor_, citation.end);
      return cursor_.skip_value();
    });
    if (!read) return false;
    citation.raw = bytes_.substr(begin, cursor_.offset() - begin);
    citations.push_back(std::move(citation));
    return true;
  }

  bool usage() {
    std::int64_t prompt = 0;
    std::int64_t tool_prompt = 0;
    std::int64_t cached = 0;
    std::int64_t answer = 0;
    std::int64_t thoughts = 0;
    const bool read = each_member(cursor_, [&](std::string_view key) {
      if (key == "promptTokenCount") return read_integer(cursor_, prompt);
      if (key == "toolUsePromptTokenCount") return read_integer(cursor_, tool_prompt);
      if (key == "cachedContentTokenCount") return read_integer(cursor_, cached);
      if (key == "candidatesTokenCount") return read_integer(cursor_, answer);
      if (key == "thoughtsTokenCount") return read_integer(cursor_, thoughts);
      return cursor_.skip_value();
    });
    if (!read) return false;
    for (const std::int64_t count : {prompt, tool_prompt, cached, answer, thoughts}) {
      if (count < 0 || count > kTokensMax) return true;  // nonsense: as if nothing had been said
    }
    Usage& usage = into_.usage.usage;
    usage.cache_read = std::min(cached, prompt);
    usage.uncached = prompt + tool_prompt - usage.cache_read;
    usage.output = answer + thoughts;
    usage.reasoning = thoughts;
    usage.reported = true;
    return true;
  }

  std::string_view bytes_;
  json::Cursor cursor_;
  Answer& into_;
};

constexpr auto kFiltered =
    std::to_array<std::string_view>({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
                                     "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"});
constexpr auto kBrokenCalls = std::to_array<std::string_view>(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"});

bool is_any(const Text& text, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [&text](std::string_view name) { return text == name; });
}

}  // namespace

bool read_answer(std::string_view bytes, Answer& into, std::string& problem) {
  AnswerReader reader{bytes, into};
  if (!json::valid_utf8(bytes)) {
    problem = "is not UTF-8";
    return false;
  }
  if (reader.run()) return true;
  problem = fmt::format("is not what Gemini answers: {} was expected", reader.problem());
  return false;
}

std::expected<Finish, std::string> finish_of(const Text& reason, bool has_calls) {
  if (is_any(reason, kBrokenCalls)) return std::unexpected("The model broke off: it wrote a malformed tool call.");
  if (is_any(reason, kFiltered)) return Finish::content_filter;
  if (reason == "MAX_TOKENS") return Finish::length;
  return has_calls ? Finish::tool_calls : Finish::stop;
}

std::expected<ChatReply, std::string> decode_reply(std::string_view body, const ReplyHints&) {
  Answer answer;
  std::string problem;
  if (!read_answer(body, answer, problem)) return std::unexpected("The answer " + problem);
  if (answer.is_error) return std::unexpected("The answer is an error inside a 200");
  if (answer.candidates.empty() && !answer.blocked) return std::unexpected("The answer has no candidate");
  ChatReply reply;
  reply.id = std::move(answer.id);
  reply.model = std::move(answer.model);
  reply.usage = answer.usage;
  if (answer.candidates.empty()) {
    reply.choices.push_back(
        {.index = 0, .parts = {}, .finish = Finish::content_filter, .stop_sequence = {}, .logprobs = {}});
  }
  for (Candidate& candidate : answer.candidates) {
    Choice choice;
    choice.index = candidate.index;
    choice.parts = std::move(candidate.parts);
    const bool called = std::ranges::any_of(choice.parts, [](const Part& part) { return part.as<ToolCallPart>(); });
    const auto finish = finish_of(candidate.finish_reason, called);
    if (!finish) return std::unexpected(finish.error());
    choice.finish = *finish;
    for (auto part = choice.parts.rbegin(); part != choice.parts.rend(); ++part) {
      auto* text = part->as<TextPart>();
      if (text == nullptr) continue;
      text->citations = std::move(candidate.citations);
      break;
    }
    reply.choices.push_back(std::move(choice));
  }
  return reply;
}

}  // namespace weir::gemini
