#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialects/vocabulary/codec.hpp"

/// Short ways to write requests of the vocabulary in tests of encoders.
namespace weir::fakes {

using vocabulary::Text;

inline vocabulary::Part text_part(std::string_view text) {
  return {.value = vocabulary::TextPart{.text = Text::plain(text), .citations = {}}};
}
inline vocabulary::Media media(std::string_view type, std::string_view base64) {
  return {.source = vocabulary::Media::Source::base64, .media_type = Text::plain(type), .data = Text::plain(base64)};
}
inline vocabulary::Media url(std::string_view address) {
  return {.source = vocabulary::Media::Source::url, .media_type = {}, .data = Text::plain(address)};
}
inline vocabulary::Part image_part(vocabulary::Media where) {
  return {.value = vocabulary::ImagePart{.media = std::move(where), .detail = {}}};
}
inline vocabulary::Part call_part(std::string_view id, std::string_view name, std::string_view arguments,
                                  std::string_view signature = {}) {
  return {.value = vocabulary::ToolCallPart{.id = Text::plain(id),
                                            .name = Text::plain(name),
                                            .arguments = Text::plain(arguments),
                                            .signature = Text::plain(signature)}};
}
inline vocabulary::Part result_part(std::string_view id, std::vector<vocabulary::Part> content, bool is_error = false) {
  return {.value = vocabulary::ToolResultPart{
              .call_id = Text::plain(id), .name = {}, .content = std::move(content), .is_error = is_error}};
}
inline vocabulary::Part thinking_part(std::string_view text, std::string_view signature) {
  return {.value = vocabulary::ThinkingPart{.text = Text::plain(text), .signature = Text::plain(signature), .id = {}}};
}
inline vocabulary::Message message(vocabulary::Role role, std::vector<vocabulary::Part> parts) {
  return {.role = role, .name = {}, .parts = std::move(parts)};
}
inline vocabulary::Message user(std::string_view text) {
  return message(vocabulary::Role::user, {text_part(text)});
}
inline vocabulary::Tool tool(std::string_view name, std::string_view schema) {
  vocabulary::Tool made;
  made.name = Text::plain(name);
  made.schema = schema;
  return made;
}

/// What a stream says, one short line per event, so that two streams can be compared.
inline std::string shown(const vocabulary::StreamEvent& event) {
  using namespace vocabulary;
  const auto at = [](std::uint32_t choice) { return std::to_string(choice) + " "; };
  struct Show {
    decltype(at) where;
    std::string operator()(const StreamStart& e) const { return "start " + e.id.str() + " " + e.model.str(); }
    std::string operator()(const TextDelta& e) const { return "text " + where(e.choice) + e.text.str(); }
    std::string operator()(const ThinkingDelta& e) const { return "thinking " + where(e.choice) + e.text.str(); }
    std::string operator()(const SignatureDelta& e) const { return "signature " + where(e.choice) + e.signature.str(); }
    std::string operator()(const RedactedThinking& e) const { return "redacted " + where(e.choice) + e.data.str(); }
    std::string operator()(const RefusalDelta& e) const { return "refusal " + where(e.choice) + e.text.str(); }
    std::string operator()(const ToolCallStart& e) const {
      const auto signature = e.signature.empty() ? "" : " " + e.signature.str();
      return "call " + where(e.choice) + where(e.index) + e.id.str() + " " + e.name.str() + signature;
    }
    std::string operator()(const ToolArgumentsDelta& e) const {
      return "arguments " + where(e.choice) + where(e.index) + e.fragment.str();
    }
    std::string operator()(const CitationDelta& e) const {
      return "citation " + where(e.choice) + e.citation.url.str();
    }
    std::string operator()(const LogprobsDelta& e) const { return "logprobs " + std::string{e.raw}; }
    std::string operator()(const BlockFinish& e) const { return "block " + std::to_string(e.choice); }
    std::string operator()(const ChoiceFinish& e) const {
      return "finish " + where(e.choice) + std::to_string(static_cast<int>(e.reason));
    }
    std::string operator()(const UsageSnapshot& e) const {
      const auto& usage = e.report.usage;
      return "usage " + std::to_string(usage.uncached) + "+" + std::to_string(usage.cache_read) + "+" +
             std::to_string(usage.cache_write) + " " + std::to_string(usage.output) + "/" +
             std::to_string(usage.reasoning);
    }
    std::string operator()(const Ping&) const { return "ping"; }
    std::string operator()(const StreamError& e) const { return "error " + std::string{name_of(e.failure)}; }
    std::string operator()(const Done&) const { return "done"; }
  };
  return std::visit(Show{at}, event);
}

/// The lines of a stream of (event, data), each event in memory of its own; at the end what end() says.
inline std::vector<std::string> decoded(vocabulary::StreamDecoder& decoder,
                                        const std::vector<std::pair<std::string, std::string>>& stream) {
  std::vector<std::string> lines;
  std::vector<vocabulary::StreamEvent> events;
  const auto drain = [&] {
    for (const auto& event : events) lines.push_back(shown(event));
    events.clear();
  };
  for (const auto& [name, data] : stream) {
    const std::string held = data;
    decoder.feed(name, held, events);
    drain();
  }
  decoder.end(events);
  drain();
  return lines;
}

}  // namespace weir::fakes
