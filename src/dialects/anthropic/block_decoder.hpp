#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/request.hpp"

namespace weir::anthropic {

/// Reads content blocks of a request and of a reply. Every function returns false at the first thing that is not what
/// it should be; the cursor's problem() says what was expected.
class BlockDecoder {
 public:
  BlockDecoder(json::Cursor& cursor, std::string_view body) : cursor_(cursor), body_(body) {}

  /// `content`: a string or a list of blocks.
  bool read_content(std::vector<vocabulary::Part>& into);
  /// Kinds of blocks that have no place in the vocabulary, such as server_tool_use.
  const std::vector<vocabulary::Text>& unknown() const { return unknown_; }

 private:
  struct Draft;
  bool read_block(std::vector<vocabulary::Part>& into);
  bool read_field(std::string_view key, Draft& draft);
  bool read_source(Draft& draft);
  bool read_citations(Draft& draft);
  bool finish(Draft& draft, std::vector<vocabulary::Part>& into);

  json::Cursor& cursor_;
  std::string_view body_;
  std::vector<vocabulary::Text> unknown_;
};

bool read_cache_control(json::Cursor& cursor, std::optional<vocabulary::CacheControl>& into);
/// One element of `citations`; `raw` is the element as written.
bool read_citation(json::Cursor& cursor, std::string_view body, vocabulary::Citation& into);

}  // namespace weir::anthropic
