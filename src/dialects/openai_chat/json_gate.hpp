#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace weir::openai_chat {

/// Whether a text is JSON as a whole: depth, UTF-8, numbers, one document. Holds one simdjson parser and its memory.
///
/// Thread: one per worker. Requires: texts of at most limits::dom_bytes_max.
class JsonGate {
 public:
  JsonGate();
  JsonGate(const JsonGate&) = delete;
  JsonGate& operator=(const JsonGate&) = delete;
  ~JsonGate();

  /// `readable_slack`: bytes behind the text that may be read (not used); with fewer than 64 the text is copied first.
  bool accepts(std::string_view text, std::size_t readable_slack);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;  // made at first use: an idle worker pays nothing
};

/// One sentence for a person on why `text` is not JSON, with the byte where it stops being so; empty if it is.
/// Names nothing of the text itself, which is a prompt. Slow: for refusals.
std::string describe_json_problem(std::string_view text);

}  // namespace weir::openai_chat
