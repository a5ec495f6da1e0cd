#include "dialects/vocabulary/request.hpp"

namespace weir::vocabulary {

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
