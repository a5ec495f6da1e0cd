#pragma once
#include <cstdint>
#include <string>

#include "dialects/vocabulary/reply.hpp"
#include "dialects/vocabulary/stream_event.hpp"

namespace weir::vocabulary {

/// What the events of one stream have said so far: for the attempt's books, and for when the first byte may leave.
class StreamTally {
 public:
  void add(const StreamEvent& event);

  /// RULINGS 13: text, refusal, reasoning or a tool call that is not empty, or how the answer finished.
  bool content_seen() const { return content_seen_; }
  std::uint64_t text_bytes() const { return text_bytes_; }
  const std::string& model() const { return model_; }
  const Usage& usage() const { return usage_; }  ///< the latest; `reported` if the provider said any
  bool failed() const { return failed_; }
  bool done() const { return done_; }

 private:
  struct Adding;
  std::string model_;
  Usage usage_;
  std::uint64_t text_bytes_ = 0;
  bool content_seen_ = false;
  bool failed_ = false;
  bool done_ = false;
};

/// Generated text of a whole reply, to estimate tokens from where its usage is not reported.
std::uint64_t text_bytes(const ChatReply& reply);

}  // namespace weir::vocabulary
