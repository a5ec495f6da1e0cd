#include "dialects/vocabulary/replay.hpp"

#include <variant>

namespace weir::vocabulary {
namespace {

/// The same text without a copy of what it owns.
Text view_of(const Text& text) {
  return text.is_escaped() ? Text::escaped(text.bytes()) : Text::plain(text.bytes());
}

struct Replaying {
  std::uint32_t choice;
  std::uint32_t& calls;
  std::vector<StreamEvent>& into;

  void operator()(const TextPart& part) const {
    if (!part.text.empty()) into.push_back(TextDelta{choice, view_of(part.text)});
    for (const Citation& citation : part.citations) into.push_back(CitationDelta{choice, citation});
  }
  void operator()(const RefusalPart& part) const { into.push_back(RefusalDelta{choice, view_of(part.text)}); }
  void operator()(const ThinkingPart& part) const {
    if (!part.text.empty()) into.push_back(ThinkingDelta{choice, view_of(part.text)});
    if (!part.signature.empty()) into.push_back(SignatureDelta{choice, view_of(part.signature)});
  }
  void operator()(const RedactedThinkingPart& part) const {
    into.push_back(RedactedThinking{choice, view_of(part.data)});
  }
  void operator()(const ToolCallPart& part) const {
    into.push_back(ToolCallStart{choice, calls, view_of(part.id), view_of(part.name), view_of(part.signature)});
    if (!part.arguments.empty()) into.push_back(ToolArgumentsDelta{choice, calls, view_of(part.arguments)});
    ++calls;
  }
  // No stream has a place for these.
  void operator()(const ImagePart&) const {}
  void operator()(const DocumentPart&) const {}
  void operator()(const AudioPart&) const {}
  void operator()(const ToolResultPart&) const {}
};

}  // namespace

void replay(const ChatReply& reply, std::vector<StreamEvent>& into) {
  into.push_back(StreamStart{view_of(reply.id), view_of(reply.model), reply.created, reply.usage});
  for (const Choice& choice : reply.choices) {
    std::uint32_t calls = 0;
    for (const Part& part : choice.parts) {
      std::visit(Replaying{choice.index, calls, into}, part.value);
      into.push_back(BlockFinish{choice.index});
    }
    if (!choice.logprobs.empty()) into.push_back(LogprobsDelta{choice.index, choice.logprobs});
    into.push_back(ChoiceFinish{choice.index, choice.finish, view_of(choice.stop_sequence)});
  }
  if (reply.usage.usage.reported) into.push_back(UsageSnapshot{reply.usage});
  into.push_back(Done{});
}

}  // namespace weir::vocabulary
