#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>

#include <weir/base/buffer.hpp>
#include "net/http1_chunked.hpp"
#include "net/http1_head.hpp"

namespace weir::net {

/// Takes the framing off an answer's body inside the buffer that it is read into (RFC 9112, 6.3): by length, chunked,
/// or until the connection ends. Sans-io: the caller reads, then calls advance().
///
/// Invariant: the first ready() bytes of the buffer are body and not consumed yet; behind them lies nothing, or, after
/// done(), what the peer sent too much.
class BodyReader {
 public:
  BodyReader(const ReplyHead& head, bool request_was_head) {
    if (head.bodyless() || request_was_head) {
      left_ = 0;
    } else if (head.chunked()) {
      chunked_ = true;
    } else if (head.content_length()) {
      left_ = *head.content_length();
    } else {
      until_end_ = true;
    }
    done_ = left_ == 0 && !chunked_ && !until_end_;
  }

  /// Decodes what was read since. `ended` = the connection will give no more; `cut` = and not by an orderly end.
  void advance(Buffer& input, bool ended, bool cut = false) {
    if (failed_) return;
    if (done_) {
      leftover_ |= input.size() > ready_;
      input.truncate(ready_);
      return;
    }
    const std::size_t fresh = input.size() - ready_;
    if (chunked_) {
      const auto progress = decoder_.decode(input.data() + ready_, fresh);
      const std::size_t rest = fresh - progress.consumed;
      failed_ = decoder_.failed();
      done_ = decoder_.done();
      ready_ += progress.produced;
      leftover_ = done_ && rest != 0;
      input.truncate(ready_);
    } else if (until_end_) {
      ready_ += fresh;
      done_ = ended && !cut;
    } else {
      const std::size_t taken = left_ < fresh ? static_cast<std::size_t>(left_) : fresh;
      left_ -= taken;
      ready_ += taken;
      leftover_ = taken < fresh;
      done_ = left_ == 0;
      input.truncate(ready_);
    }
    if (ended && !done_) failed_ = true;
  }

  /// The caller dropped bytes from the front of the buffer.
  void consumed(std::size_t bytes) { ready_ -= bytes; }

  std::size_t ready() const { return ready_; }
  bool done() const { return done_; }
  bool failed() const { return failed_; }  ///< cut off, or chunks that are none
  /// After done(): whether the connection may carry another answer.
  bool reusable() const { return done_ && !leftover_ && !until_end_; }
  bool until_end() const { return until_end_; }
  /// Bytes still announced by Content-Length, 0 where there is none.
  std::uint64_t announced() const { return chunked_ || until_end_ ? 0 : left_; }

 private:
  ChunkedDecoder decoder_;
  std::uint64_t left_ = std::numeric_limits<std::uint64_t>::max();
  std::size_t ready_ = 0;
  bool chunked_ = false;
  bool until_end_ = false;
  bool done_ = false;
  bool failed_ = false;
  bool leftover_ = false;
};

}  // namespace weir::net
