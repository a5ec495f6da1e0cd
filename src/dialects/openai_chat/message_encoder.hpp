#pragma once
#include <optional>
#include <vector>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::openai_chat {

/// Writes the messages of a request. What this dialect has no place for is named in `dropped`; what the target must not
/// miss (an image, a document) is refused.
class MessageEncoder {
 public:
  MessageEncoder(vocabulary::Writer& out, const vocabulary::TargetTraits& target, vocabulary::Dropped& dropped)
      : out_(out), target_(target), dropped_(dropped) {}

  std::optional<vocabulary::Refusal> encode(const std::vector<vocabulary::Message>& messages);

 private:
  void encode_message(const vocabulary::Message& message);
  void encode_assistant(const vocabulary::Message& message);
  void encode_results(const vocabulary::Message& message);
  void flush_pictures();
  void encode_content(const std::vector<vocabulary::Part>& parts);
  void encode_part(const vocabulary::Part& part);
  void encode_media_part(const vocabulary::Part& part);
  void encode_document(const vocabulary::DocumentPart& part);
  void refuse(std::string message);

  vocabulary::Writer& out_;
  const vocabulary::TargetTraits& target_;
  vocabulary::Dropped& dropped_;
  std::vector<const vocabulary::Part*> pictures_;  ///< of tool results: only a user message can hold them here
  std::optional<vocabulary::Refusal> refusal_;
};

/// Members of an assistant's message that are the same in a request and in a reply, after `content`.
void encode_tool_calls(vocabulary::Writer& out, const std::vector<vocabulary::Part>& parts);
void encode_thinking_blocks(vocabulary::Writer& out, const std::vector<vocabulary::Part>& parts);
/// All texts as one string; null where there are none.
void encode_text_content(vocabulary::Writer& out, const std::vector<vocabulary::Part>& parts);

}  // namespace weir::openai_chat
