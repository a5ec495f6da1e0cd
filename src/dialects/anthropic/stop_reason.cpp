#include "dialects/anthropic/stop_reason.hpp"

namespace weir::anthropic {

using namespace vocabulary;

Finish finish_of(const Text& stop_reason) {
  if (stop_reason.empty()) return Finish::unset;
  if (stop_reason == "max_tokens" || stop_reason == "model_context_window_exceeded") return Finish::length;
  if (stop_reason == "tool_use") return Finish::tool_calls;
  if (stop_reason == "stop_sequence") return Finish::stop_sequence;
  if (stop_reason == "refusal") return Finish::refusal;
  if (stop_reason == "pause_turn") return Finish::pause;
  return Finish::stop;
}

std::string_view stop_reason_of(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "max_tokens";
    case Finish::tool_calls:
      return "tool_use";
    case Finish::content_filter:
    case Finish::refusal:
      return "refusal";
    case Finish::pause:
      return "pause_turn";
    case Finish::stop_sequence:
      return "stop_sequence";
    case Finish::unset:
    case Finish::stop:
      return "end_turn";
  }
  return "end_turn";
}

}  // namespace weir::anthropic
