#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::bench {

/// One HTTP/1.1 message, request or response, as it comes off a socket: head, then a body by Content-Length or in
/// chunks. For peers on this machine that we trust: it is lenient, and not for anything but measuring.
class Message {
 public:
  /// Keeps at most this much of the body; the rest is counted and dropped.
  explicit Message(std::size_t body_kept_max) : body_kept_max_{body_kept_max} {}

  /// Takes bytes up to the end of the message and says how many it took.
  std::size_t feed(std::string_view bytes);
  /// Makes ready for the next message on the same connection; keeps the memory.
  void reset();

  bool started() const { return !head_.empty(); }
  bool complete() const { return stage_ == Stage::done; }
  bool broken() const { return stage_ == Stage::broken; }
  /// The start line and fields, with the empty line.
  std::string_view head() const { return head_; }
  /// The body's kept beginning, without chunk framing.
  std::string_view body() const { return body_; }
  std::size_t body_bytes() const { return body_bytes_; }
  /// A field's value, "" if absent; `name` in lower case.
  std::string_view field(std::string_view name) const;

 private:
  enum class Stage { head, length, chunk_size, chunk_data, chunk_end, trailer, done, broken };

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_data(std::string_view bytes);
  std::size_t feed_line(std::string_view bytes);
  void start_body();
  void end_line();

  std::size_t body_kept_max_;
  Stage stage_ = Stage::head;
  std::string head_;
  std::string body_;
  std::string line_;            // a chunk's size or a trailer, cut by reads
  std::size_t body_bytes_ = 0;  // seen, kept or not
  std::size_t left_ = 0;        // of the body or of the chunk
};

}  // namespace weir::bench
