#pragma once
#include <optional>
#include <string>

#include "dialects/json/writing.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::bedrock {

/// Writes `messages` and `system`. Roles alternate: what one side says in a row, results of tools included, is one
/// message. What it cannot write makes refusal() true, and then what was appended is of no use.
class MessagesWriter {
 public:
  MessagesWriter(const vocabulary::ChatRequest& request, const vocabulary::TargetTraits& target,
                 vocabulary::Dropped& dropped, std::string& to);

  void write_messages();
  /// Appends the array of system blocks; false = there is none.
  bool write_system();

  const std::optional<vocabulary::Refusal>& refusal() const { return refusal_; }

 private:
  struct Turn;
  void write_part(const vocabulary::Part& part, Turn& turn);
  void write_call(const vocabulary::ToolCallPart& call, Turn& turn);
  void write_result(const vocabulary::ToolResultPart& result, Turn& turn);
  void write_thinking(const vocabulary::ThinkingPart& thinking, Turn& turn);
  /// One block `{"text":…}`, `{"image":…}` or `{"document":…}`.
  void append_text(const vocabulary::Text& text);
  void append_image(const vocabulary::ImagePart& image);
  void append_document(const vocabulary::DocumentPart& document);
  /// `{"bytes":…}` or, for an address in S3, `{"s3Location":…}`.
  void append_source(const vocabulary::Media& media);
  void append_cache_point(const vocabulary::CacheControl& cache);
  void refuse(std::string message);

  const vocabulary::ChatRequest& request_;
  const vocabulary::TargetTraits& target_;
  vocabulary::Dropped& dropped_;
  std::string& to_;
  std::optional<vocabulary::Refusal> refusal_;
  int documents_ = 0;
};

}  // namespace weir::bedrock
