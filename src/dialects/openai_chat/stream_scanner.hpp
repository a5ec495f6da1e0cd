#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <weir/exchange/usage.hpp>

#include "dialects/openai_chat/chat_facts.hpp"

namespace weir::openai_chat {

enum class ChunkKind : std::uint8_t {
  comment,     ///< no data: a keep-alive
  other,       ///< a chunk without content, for example the first one with the role
  content,     ///< first content may leave now (RULINGS 13): generated text, a tool call, audio, or a finish_reason
  usage_only,  ///< usage and no choice: dropped whole if weir asked for the usage
  done,        ///< data: [DONE]
  error,       ///< the provider's error after its 200; read_error() reads the data
  malformed    ///< data that is no JSON object: upstream.protocol
};

/// What one event of a stream says. Views point into the event's data.
struct ChunkFacts {
  ChunkKind kind = ChunkKind::comment;
  bool has_usage_member = false;
  std::string_view finish_reason;  ///< empty = none
  std::string_view model;          ///< as written in JSON; empty = not named
  std::size_t text_bytes = 0;      ///< generated text in this chunk
  Usage usage;                     ///< `reported` if the chunk has real usage
  std::uint32_t usage_end = 0;     ///< the usage object's closing brace; set if `usage.reported`
  Span usage_cut;                  ///< the usage member with its comma, also where it is null; set if has_usage_member
  /// Set only for an event whose data came in several lines: the same event with one line. The offsets are into it, and
  /// whoever edits the event sends it instead.
  std::string rewritten;
};

/// Reads one event. `raw`: its bytes as they came, with the blank line; `event` and `data`: its fields, where `data` is
/// a part of `raw` or was joined from several lines. All offsets are into `raw` (or `rewritten`).
ChunkFacts read_chunk(std::string_view raw, std::string_view event, std::string_view data);

/// What the events of one stream have said so far.
class StreamState {
 public:
  void add(const ChunkFacts& chunk);

  const std::string& model() const { return model_; }  ///< of the first chunk that names one
  const std::string& finish_reason() const { return finish_reason_; }
  bool content_seen() const { return content_seen_; }
  bool done_seen() const { return done_seen_; }
  /// The answer is whole: it said how it finished or said [DONE], which some servers leave out.
  bool complete() const { return done_seen_ || !finish_reason_.empty(); }
  std::uint64_t text_bytes() const { return text_bytes_; }
  const Usage& usage() const { return usage_; }  ///< the latest; compatible servers send it cumulative in each chunk

  /// The provider's usage, or an estimate from the bytes where it never came. In a stream that was cut after an early
  /// usage, the output is at least what was relayed.
  Usage usage_or_estimate(std::uint64_t prompt_bytes) const;

 private:
  std::string model_;
  std::string finish_reason_;
  Usage usage_;
  std::uint64_t text_bytes_ = 0;
  bool content_seen_ = false;
  bool done_seen_ = false;
};

}  // namespace weir::openai_chat
