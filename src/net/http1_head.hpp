#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <weir/exchange/request.hpp>

namespace weir::net {

using weir::HeaderField;  // views into the scanned buffer; the value without spaces and tabs around it, possibly empty

struct HeadLimits {
  std::uint32_t head_bytes_max = 32768;   ///< first line to empty line, both counted
  std::uint32_t line_bytes_max = 16384;   ///< one line with its CR LF
  std::uint32_t target_bytes_max = 8192;  ///< path and query
};

enum class ScanState : std::uint8_t { need_more, complete, refused };

/// Why a head is refused: the status to answer with, and a sentence that says what to change.
struct HeadRefusal {
  std::uint16_t status;
  std::string_view reason;
};

/// What the heads of requests and replies share (RFC 9112): the search for the end, the fields, the framing of the
/// body.
///
/// Pure: no I/O, no allocation. scan() of the two classes below gets the whole unread buffer each time, its bytes
/// unchanged but possibly moved and grown, and continues where it stopped; how the bytes were cut makes no difference
/// to the result. Bytes behind the head are not looked at. Lifetime: all views are valid after `complete`, until the
/// buffer changes. Thread: none of its own.
class MessageHead {
 public:
  static constexpr std::size_t kFieldsMax = 100;

  std::size_t head_bytes() const { return head_bytes_; }  ///< where the body begins
  std::span<const HeaderField> fields() const { return {fields_, field_count_}; }
  /// The first field of that name.
  std::optional<std::string_view> find(std::string_view lowercase_name) const;

  std::optional<std::uint64_t> content_length() const {
    return has_content_length_ ? std::optional{content_length_} : std::nullopt;
  }
  bool chunked() const { return chunked_; }
  /// Whether the sender wants the connection kept after this message.
  bool keep_alive() const { return !asks_close_ && (minor_version_ == 1 || asks_keep_alive_); }
  int minor_version() const { return minor_version_; }  ///< 0 or 1

  /// After `refused`: what to change, a string literal.
  std::string_view reason() const { return refusal_ ? refusal_->reason : std::string_view{}; }

 protected:
  struct Slice {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  MessageHead() {}  // NOLINT: leaves fields_ uninitialised on purpose, 3 kB of zeros a request would be felt
  void reset_message();

  /// The next line without its CR LF, once it is whole. Without one state_ says whether to wait.
  std::optional<Slice> take_first_line(std::string_view buffer, const HeadLimits& limits);
  /// Takes lines up to the empty one; true when it was found.
  bool take_field_lines(std::string_view buffer, const HeadLimits& limits);
  /// Splits the lines taken into fields_.
  const HeadRefusal* split_fields(std::string_view buffer);

  const HeadRefusal* take_content_length(std::string_view value, bool equal_repetition_allowed);
  const HeadRefusal* take_transfer_encoding(std::string_view value);
  void take_connection(std::string_view value);
  const HeadRefusal* check_framing() const;

  ScanState refuse(const HeadRefusal& refusal);

  const HeadRefusal* refusal_ = nullptr;
  std::uint32_t line_begin_ = 0;  ///< where the line that is not whole yet begins
  std::uint32_t looked_ = 0;      ///< no line end before this offset of that line
  std::uint32_t head_bytes_ = 0;
  std::uint32_t field_count_ = 0;
  ScanState state_ = ScanState::need_more;
  bool has_first_line_ = false;
  std::uint8_t minor_version_ = 1;
  bool has_content_length_ = false;
  bool chunked_ = false;
  bool asks_close_ = false;
  bool asks_keep_alive_ = false;
  std::uint64_t content_length_ = 0;

 private:
  std::string_view searched_part(std::string_view buffer, const HeadLimits& limits) const;

  std::array<std::uint32_t, kFieldsMax> line_ends_;  // first line_count_ are set: offsets of the CR
  std::uint32_t first_field_ = 0;
  std::uint32_t line_count_ = 0;
  union {
    HeaderField fields_[kFieldsMax];  // first field_count_ live
  };
};

/// The head of a request from a client. Everything that two readers could understand differently is refused; the caller
/// answers status() and closes the connection. One empty line before the request line is skipped (RFC 9112
/// section 2.2).
class RequestHead final : public MessageHead {
 public:
  ScanState scan(std::string_view buffer, const HeadLimits& limits);
  void reset();

  /// After `refused`: 400, 405, 414, 415, 417, 431, 501 or 505.
  int status() const { return refusal_ ? refusal_->status : 0; }

  std::string_view method() const { return {base_ + method_.begin, method_.size}; }
  /// Path and query as sent, beginning with "/", or "*" of OPTIONS. Escapes are well-formed, no dot segments.
  std::string_view target() const { return {base_ + target_.begin, target_.size}; }
  std::string_view host() const { return host_; }  ///< with port if given
  bool expects_continue() const { return expects_continue_; }

 private:
  const HeadRefusal* take_request_line(std::string_view line, const HeadLimits& limits);
  const HeadRefusal* take_fields();
  const HeadRefusal* take_host(std::string_view value);
  const HeadRefusal* take_expect(std::string_view value);

  const char* base_ = nullptr;
  Slice method_;
  Slice target_;
  std::string_view host_;
  bool expects_continue_ = false;
};

/// The head of a provider's answer. 1xx is reported as complete too; the caller drops head_bytes() and scans on.
class ReplyHead final : public MessageHead {
 public:
  ScanState scan(std::string_view buffer, const HeadLimits& limits);
  void reset();

  int status() const { return status_; }  ///< 100 to 599, after `complete`
  /// By its status the answer has no body, whatever its fields say (RFC 9112 section 6.3): 1xx, 204, 304.
  bool bodyless() const { return status_ < 200 || status_ == 204 || status_ == 304; }

 private:
  const HeadRefusal* take_status_line(std::string_view line);
  const HeadRefusal* take_fields();

  int status_ = 0;
};

}  // namespace weir::net
