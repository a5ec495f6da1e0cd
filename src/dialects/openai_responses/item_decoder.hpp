#pragma once
#include <string_view>
#include <vector>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/request.hpp"

namespace weir::openai_responses {

/// What came back instead of encrypted_content where a provider blanked its thinking out.
inline constexpr std::string_view kRedacted = "redacted_thinking:";

/// Reads items of `input` and of `output`. Every function returns false at the first thing that is not what it should
/// be; the cursor's problem() says what was expected.
class ItemDecoder {
 public:
  ItemDecoder(json::Cursor& cursor, std::string_view body) : cursor_(cursor), body_(body) {}

  /// One item, into the message it belongs to: what an assistant says, thinks and calls in a row is one message.
  bool read_item(std::vector<vocabulary::Message>& into);
  /// Kinds of items and parts that have no place in the vocabulary, such as web_search_call.
  const std::vector<vocabulary::Text>& unknown() const { return unknown_; }

 private:
  struct Draft;
  bool read_content(std::vector<vocabulary::Part>& into);
  bool read_part(std::vector<vocabulary::Part>& into);
  bool read_annotations(std::vector<vocabulary::Citation>& into);
  bool read_summary(vocabulary::Text& into);
  bool finish(Draft& draft, std::vector<vocabulary::Message>& into);

  json::Cursor& cursor_;
  std::string_view body_;
  std::vector<vocabulary::Text> unknown_;
};

bool read_citation(json::Cursor& cursor, vocabulary::Citation& into);

}  // namespace weir::openai_responses
