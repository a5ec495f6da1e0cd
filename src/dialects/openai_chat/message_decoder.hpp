#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/request.hpp"

namespace weir::openai_chat {

/// Reads the messages of a request and the message of a reply. Every function returns false at the first thing that is
/// not what it should be; the cursor's problem() says what was expected.
class MessageDecoder {
 public:
  MessageDecoder(json::Cursor& cursor, std::string_view body) : cursor_(cursor), body_(body) {}

  /// Requires: the cursor is before a message object. `otherwise`: the role where it is not said.
  bool read_message(vocabulary::Message& into, std::optional<vocabulary::Role> otherwise = std::nullopt);
  /// `tools` and `functions` of a request are in request_decoder; this is `tool_calls` of a message.
  bool read_tool_calls(std::vector<vocabulary::Part>& into);

 private:
  struct Draft;
  bool read_content(std::vector<vocabulary::Part>& into);
  bool read_part(std::vector<vocabulary::Part>& into);
  bool read_file(vocabulary::DocumentPart& into);
  bool read_thinking_blocks(std::vector<vocabulary::Part>& into);
  bool read_mistral_thinking(vocabulary::ThinkingPart& into);
  bool read_annotations(std::vector<vocabulary::Citation>& into);
  bool finish(Draft& draft, std::optional<vocabulary::Role> role, vocabulary::Message& into);

  json::Cursor& cursor_;
  std::string_view body_;
};

}  // namespace weir::openai_chat
