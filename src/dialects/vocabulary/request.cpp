#include "dialects/vocabulary/request.hpp"

namespace weir::vocabulary {
namespace {

constexpr std::size_t kAroundPart = 96;  // keys, brackets and ids around a part

struct PartBytes {
  std::size_t operator()(const TextPart& part) const { return part.text.size(); }
  std::size_t operator()(const ImagePart& part) const { return part.media.data.size(); }
  std::size_t operator()(const DocumentPart& part) const { return part.media.data.size() + part.name.size(); }
  std::size_t operator()(const AudioPart& part) const { return part.media.data.size(); }
  std::size_t operator()(const ToolCallPart& part) const {
    return part.name.size() + part.signature.size() + part.arguments.size() * 5 / 4;
  }
  std::size_t operator()(const ThinkingPart& part) const { return part.text.size() + part.signature.size(); }
  std::size_t operator()(const RedactedThinkingPart& part) const { return part.data.size(); }
  std::size_t operator()(const RefusalPart& part) const { return part.text.size(); }
  std::size_t operator()(const ToolResultPart& part) const { return bytes_of(part.content); }

  static std::size_t bytes_of(const std::vector<Part>& parts) {
    std::size_t bytes = 0;
    for (const Part& part : parts) bytes += kAroundPart + std::visit(PartBytes{}, part.value);
    return bytes;
  }
};

}  // namespace

std::size_t body_bytes(const ChatRequest& request) {
  std::size_t bytes = 1024 + request.response_format.schema.size();
  for (const Message& message : request.messages) bytes += kAroundPart + PartBytes::bytes_of(message.parts);
  for (const Tool& tool : request.tools) {
    bytes += kAroundPart + tool.name.size() + tool.description.size() + tool.schema.size();
  }
  return bytes;
}

void drop_extras(const ChatRequest& request, Dropped& dropped) {
  for (const Extra& extra : request.extras) {
    extra.known ? dropped.add(extra.name.str()) : dropped.add_unknown(extra.name.str());
  }
}

Reasoning::Effort effort_of(std::int64_t budget_tokens) {
  using enum Reasoning::Effort;
  if (budget_tokens <= 0) return none;
  if (budget_tokens <= 1024) return minimal;
  if (budget_tokens <= 2048) return low;
  if (budget_tokens <= 8192) return medium;
  return budget_tokens <= 24576 ? high : maximal;
}

std::int64_t budget_of(Reasoning::Effort effort) {
  using enum Reasoning::Effort;
  switch (effort) {
    case unset:
    case none:
      return 0;
    case minimal:
      return 1024;
    case low:
      return 2048;
    case medium:
      return 8192;
    case high:
      return 16384;
    case maximal:
      return 32768;
  }
  return 0;
}

const Text& tool_name_of(const ChatRequest& request, const Text& id) {
  static const Text none;
  const std::string wanted = id.str();
  // From the back: where ids repeat over turns, the latest call is the one that was answered.
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    for (const Part& part : message->parts) {
      const auto* call = part.as<ToolCallPart>();
      if (call != nullptr && call->id == wanted) return call->name;
    }
  }
  return none;
}

}  // namespace weir::vocabulary
