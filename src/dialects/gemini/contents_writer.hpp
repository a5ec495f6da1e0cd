#pragma once
#include <optional>
#include <string>

#include "dialects/vocabulary/codec.hpp"

namespace weir::gemini {

/// Writes `contents`: user and model turns, results of one turn's calls together. What it cannot write makes refusal()
/// true, and then what was appended is of no use.
class ContentsWriter {
 public:
  ContentsWriter(const vocabulary::ChatRequest& request, const vocabulary::TargetTraits& target,
                 vocabulary::Dropped& dropped, std::string& to);

  /// Appends the array; requires a message that is neither system nor developer.
  void write_contents();
  /// Appends `{"parts":[…]}` of all system and developer messages, in their order; false = there is none.
  bool write_system();

  const std::optional<vocabulary::Refusal>& refusal() const { return refusal_; }

 private:
  struct Turn;
  void write_part(const vocabulary::Part& part, vocabulary::Role role, Turn& turn);
  void write_text(const vocabulary::Text& text, Turn& turn);
  void write_media(const vocabulary::Media& media, Turn& turn);
  void write_call(const vocabulary::ToolCallPart& call, Turn& turn);
  void write_result(const vocabulary::ToolResultPart& result, Turn& turn);
  void write_thinking(const vocabulary::ThinkingPart& thinking, Turn& turn);
  void append_media(const vocabulary::Media& media);
  void refuse(std::string message, std::string param);

  const vocabulary::ChatRequest& request_;
  const vocabulary::TargetTraits& target_;
  vocabulary::Dropped& dropped_;
  std::string& to_;
  std::optional<vocabulary::Refusal> refusal_;
  bool third_generation_;
};

}  // namespace weir::gemini
