#include "dialects/vocabulary/stream_tally.hpp"

#include <variant>

namespace weir::vocabulary {

struct StreamTally::Adding {
  StreamTally& self;

  void text(std::size_t bytes) const {
    self.text_bytes_ += bytes;
    self.content_seen_ |= bytes > 0;
  }
  void operator()(const StreamStart& event) const {
    self.model_ = event.model.str();
    self.usage_ = event.usage.usage;
  }
  void operator()(const TextDelta& event) const { text(event.text.size()); }
  void operator()(const ThinkingDelta& event) const { text(event.text.size()); }
  void operator()(const RefusalDelta& event) const { text(event.text.size()); }
  void operator()(const ToolCallStart& event) const { text(event.name.size()); }
  void operator()(const ToolArgumentsDelta& event) const { text(event.fragment.size()); }
  void operator()(const ChoiceFinish&) const { self.content_seen_ = true; }
  void operator()(const UsageSnapshot& event) const { self.usage_ = event.report.usage; }
  void operator()(const StreamError&) const { self.failed_ = true; }
  void operator()(const Done&) const { self.done_ = true; }
  void operator()(const SignatureDelta&) const {}
  void operator()(const RedactedThinking&) const {}
  void operator()(const CitationDelta&) const {}
  void operator()(const LogprobsDelta&) const {}
  void operator()(const BlockFinish&) const {}
  void operator()(const Ping&) const {}
};

void StreamTally::add(const StreamEvent& event) {
  std::visit(Adding{*this}, event);
}

std::uint64_t text_bytes(const ChatReply& reply) {
  std::uint64_t bytes = 0;
  for (const Choice& choice : reply.choices) {
    for (const Part& part : choice.parts) {
      if (const auto* text = part.as<TextPart>()) bytes += text->text.size();
      if (const auto* thinking = part.as<ThinkingPart>()) bytes += thinking->text.size();
      if (const auto* refusal = part.as<RefusalPart>()) bytes += refusal->text.size();
      if (const auto* call = part.as<ToolCallPart>()) bytes += call->name.size() + call->arguments.size();
    }
  }
  return bytes;
}

}  // namespace weir::vocabulary
