#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::net {

/// Decodes a body of Transfer-Encoding `chunked` (RFC 9112 section 7.1) in the buffer that it was read into: payload is
/// moved to the front, sizes, extensions and trailers disappear.
///
/// Strict: CR LF only, at most 15 hex digits, no space around sizes. Extensions are checked and dropped, and may exceed
/// the payload by 4 KiB at most; so are trailers, 4 KiB in all. The payload itself is not limited here.
/// Pure: no I/O, no allocation; how the bytes were cut makes no difference.
class ChunkedDecoder {
 public:
  struct Progress {
    std::size_t consumed;  ///< bytes that belong to the body; less than `size` only when done or failed
    std::size_t produced;  ///< payload, now at bytes[0..produced)
  };

  /// Bytes from `consumed` on are left as they are: the next message, or what it failed at.
  Progress decode(char* bytes, std::size_t size);

  bool done() const { return state_ == State::done; }
  bool failed() const { return state_ == State::failed; }
  /// After failed(): what is wrong, a string literal.
  std::string_view reason() const { return reason_; }
  void reset() { *this = {}; }

 private:
  enum class State : std::uint8_t {
    size,
    size_line_feed,
    extension_begin,  // behind a semicolon
    extension_name,
    extension_equals,
    extension_token,
    extension_quoted,
    extension_end,  // behind the closing quote
    data,
    data_carriage_return,
    data_line_feed,
    trailer_begin,
    trailer_name,
    trailer_value,
    trailer_line_feed,
    last_line_feed,
    done,
    failed
  };

  State step(char c);
  State step_size(char c);
  State step_extension(char c);
  State step_trailer(char c);
  State expect(char wanted, char c, State next);
  State fail(std::string_view reason);

  std::uint64_t chunk_left_ = 0;
  std::uint32_t extension_debt_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  State state_ = State::size;
  std::uint8_t size_digits_ = 0;
  std::string_view reason_;
};

}  // namespace weir::net
