#pragma once
#include <optional>
#include <string>
#include <vector>

#include "dialects/vocabulary/codec.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::anthropic {

/// Writes `system` and `messages`: system and developer messages apart and in order, user and tool messages as one user
/// message, so that roles alternate (SEMANTICS 21). cache_control is written where the caller set it, at most four
/// times, and never elsewhere (SEMANTICS 28).
class BlockEncoder {
 public:
  BlockEncoder(vocabulary::Writer& out, const vocabulary::TargetTraits& target, vocabulary::Dropped& dropped)
      : out_(out), target_(target), dropped_(dropped) {}

  std::optional<vocabulary::Refusal> encode(const std::vector<vocabulary::Message>& messages);
  void encode_cache(const std::optional<vocabulary::CacheControl>& cache);

 private:
  void encode_system(const std::vector<vocabulary::Message>& messages);
  void encode_messages(const std::vector<vocabulary::Message>& messages);
  void encode_part(const vocabulary::Part& part, bool assistant);
  void encode_text(const vocabulary::Text& text, const std::optional<vocabulary::CacheControl>& cache);
  void encode_image(const vocabulary::ImagePart& image, const std::optional<vocabulary::CacheControl>& cache);
  void encode_document(const vocabulary::DocumentPart& document, const std::optional<vocabulary::CacheControl>& cache);
  void encode_source(const vocabulary::Media& media);
  void encode_call(const vocabulary::ToolCallPart& call, const std::optional<vocabulary::CacheControl>& cache);
  void encode_result(const vocabulary::ToolResultPart& result, const std::optional<vocabulary::CacheControl>& cache);
  void encode_thinking(const vocabulary::ThinkingPart& thinking);
  void refuse(std::string message);

  vocabulary::Writer& out_;
  const vocabulary::TargetTraits& target_;
  vocabulary::Dropped& dropped_;
  std::size_t markers_ = 0;
  std::optional<vocabulary::Refusal> refusal_;
};

/// A tool call's id in the characters that Anthropic takes.
std::string tool_id(const vocabulary::Text& id);
/// Whether `text` is one JSON object.
bool is_object(std::string_view text);

}  // namespace weir::anthropic
