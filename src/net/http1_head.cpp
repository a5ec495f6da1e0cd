#include "net/http1_head.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "net/http1_characters.hpp"
#include "weir/base/ascii.hpp"

namespace weir::net {
namespace {

constexpr HeadRefusal kNotHttp{400, "The first line is not HTTP/1.1; if this is TLS, use the https port."};
constexpr HeadRefusal kBareCarriageReturn{400, "A line has a CR that is not followed by LF; end each line with CR LF."};
constexpr HeadRefusal kBareLineFeed{400, "A line ends with LF alone; end each line with CR LF."};
constexpr HeadRefusal kFolded{400, "A header goes on over a second line; put each header on one line."};
constexpr HeadRefusal kControl{400, "The head has a control character; remove it."};
constexpr HeadRefusal kSpaceBeforeColon{400, "A header has a space before its colon; remove it."};
constexpr HeadRefusal kBadName{400, "A header line is not `name: value` with a valid name."};
constexpr HeadRefusal kFirstLineTooLong{414, "The first line is too long; send a shorter path and query."};
constexpr HeadRefusal kHeadTooLarge{431, "The headers are too large; send fewer or shorter ones."};
constexpr HeadRefusal kTooManyFields{431, "There are more than 100 headers; send fewer."};
constexpr HeadRefusal kBadLength{400, "Content-Length is not one plain decimal number."};
constexpr HeadRefusal kTwoLengths{400, "Content-Length is given twice; send it once."};
constexpr HeadRefusal kBadCoding{400,
                                 "Transfer-Encoding is not exactly `chunked`; send that, once, or Content-Length."};
constexpr HeadRefusal kTwoFramings{400, "Transfer-Encoding and Content-Length are both given; send one of them."};
constexpr HeadRefusal kCodingInOldVersion{400, "Transfer-Encoding does not exist in HTTP/1.0; use HTTP/1.1."};

/// Sixteen bytes that the compiler works on at once, on any machine.
using Block = unsigned char __attribute__((vector_size(16)));

Block load(const char* from) {
  Block block;
  std::memcpy(&block, from, sizeof block);
  return block;
}

bool any(Block mask) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), &mask, sizeof mask);
  return (halves[0] | halves[1]) != 0;
}

/// What must not be in the lines of a head, found in any place of them.
struct ByteFaults {
  Block control{};  // a control other than HTAB, CR, LF
  Block loose{};    // a CR that is not before an LF, or an LF that is not behind a CR

  void look_at(Block bytes, Block following) {
    const Block allowed = Block(bytes == '\t') | Block(bytes == '\r') | Block(bytes == '\n');
    control |= (Block(bytes < 0x20) & ~allowed) | Block(bytes == 0x7f);
    loose |= Block(bytes == '\r') ^ Block(following == '\n');
  }
};

/// Checks the lines up to the empty one. Their first byte is known to be no LF, their last is one.
const HeadRefusal* check_bytes(std::string_view lines) {
  const std::size_t count = lines.size() - 1;  // each with the byte behind it
  ByteFaults faults;
  if (count < sizeof(Block)) {
    std::array<char, sizeof(Block) + 1> padded;
    padded.fill(' ');
    // The CR LF at the end moves to the end of the block.
    std::memcpy(padded.data() + padded.size() - lines.size(), lines.data(), lines.size());
    faults.look_at(load(padded.data()), load(padded.data() + 1));
  } else {
    const auto look_at = [&](std::size_t at) { faults.look_at(load(&lines[at]), load(&lines[at + 1])); };
    for (std::size_t at = 0; at + sizeof(Block) <= count; at += sizeof(Block)) look_at(at);
    look_at(count - sizeof(Block));  // overlaps the one before
  }
  if (any(faults.control)) return &kControl;
  return any(faults.loose) ? &kBareCarriageReturn : nullptr;
}

bool has_bare_carriage_return(std::string_view bytes) {
  const auto at = bytes.find('\r');
  return at != std::string_view::npos && at + 1 < bytes.size() && bytes[at + 1] != '\n';
}

}  // namespace

std::optional<std::string_view> MessageHead::find(std::string_view lowercase_name) const {
  for (const auto& field : fields()) {
    if (equals_ignoring_case(field.name, lowercase_name)) return field.value;
  }
  return std::nullopt;
}

void MessageHead::reset_message() {
  refusal_ = nullptr;
  line_begin_ = looked_ = head_bytes_ = field_count_ = first_field_ = line_count_ = 0;
  state_ = ScanState::need_more;
  has_first_line_ = has_content_length_ = chunked_ = asks_close_ = asks_keep_alive_ = false;
  minor_version_ = 1;
  content_length_ = 0;
}

ScanState MessageHead::refuse(const HeadRefusal& refusal) {
  refusal_ = &refusal;
  field_count_ = 0;
  return state_ = ScanState::refused;
}

/// The buffer as far as the current line may go. Nothing behind it has a say, so that a head is refused for the same
/// reason whether it came at once or byte by byte.
std::string_view MessageHead::searched_part(std::string_view buffer, const HeadLimits& limits) const {
  const std::size_t line_end_max = std::size_t{line_begin_} + limits.line_bytes_max;
  return buffer.substr(0, std::min<std::size_t>(limits.head_bytes_max, line_end_max));
}

std::optional<MessageHead::Slice> MessageHead::take_first_line(std::string_view buffer, const HeadLimits& limits) {
  const auto part = searched_part(buffer, limits);
  if (part.size() > line_begin_ && !is(kToken, part[line_begin_]) && part[line_begin_] != '\r' &&
      part[line_begin_] != '\n') {
    refuse(kNotHttp);
    return std::nullopt;
  }
  const auto end = part.find('\n', looked_);
  const auto unchecked = std::max(line_begin_, looked_ - std::min(looked_, 1U));
  if (has_bare_carriage_return(part.substr(unchecked, end == part.npos ? end : end + 1 - unchecked))) {
    refuse(kBareCarriageReturn);
    return std::nullopt;
  }
  if (end == part.npos) {
    looked_ = static_cast<std::uint32_t>(part.size());
    if (part.size() < buffer.size()) refuse(kFirstLineTooLong);
    return std::nullopt;
  }
  if (end == line_begin_ || part[end - 1] != '\r') {
    refuse(kBareLineFeed);
    return std::nullopt;
  }
  const Slice line{line_begin_, static_cast<std::uint32_t>(end - 1) - line_begin_};
  first_field_ = line_begin_ = looked_ = static_cast<std::uint32_t>(end + 1);
  return line;
}

bool MessageHead::take_field_lines(std::string_view buffer, const HeadLimits& limits) {
  for (;;) {
    const auto part = searched_part(buffer, limits);
    if (part.size() > line_begin_ && !is(kToken, part[line_begin_])) {
      const std::string_view start = part.substr(line_begin_, 2);
      if (start == "\r\n") {
        head_bytes_ = line_begin_ + 2;
        return true;
      }
      if (start != "\r") {
        refuse(start[0] == '\r'                      ? kBareCarriageReturn
               : start[0] == '\n'                    ? kBareLineFeed
               : start[0] == ' ' || start[0] == '\t' ? kFolded
                                                     : kBadName);
        return false;
      }
    }
    const void* found =
        part.size() > looked_ ? std::memchr(part.data() + looked_, '\n', part.size() - looked_) : nullptr;
    if (!found) {
      looked_ = std::max(looked_, static_cast<std::uint32_t>(part.size()));
      if (part.size() < buffer.size()) refuse(kHeadTooLarge);
      return false;
    }
    const auto end = static_cast<std::uint32_t>(static_cast<const char*>(found) - part.data());
    if (part[end - 1] != '\r') {
      refuse(kBareLineFeed);
      return false;
    }
    if (line_count_ == kFieldsMax) {
      refuse(kTooManyFields);
      return false;
    }
    line_ends_[line_count_++] = end - 1;
    line_begin_ = looked_ = end + 1;
  }
}

const HeadRefusal* MessageHead::split_fields(std::string_view buffer) {
  if (const auto* refusal = check_bytes(buffer.substr(first_field_, head_bytes_ - first_field_))) return refusal;
  const char* line = buffer.data() + first_field_;
  for (std::uint32_t i = 0; i < line_count_; ++i) {
    const char* const end = buffer.data() + line_ends_[i];
    const char* colon = line;
    while (is(kToken, *colon)) ++colon;  // ends at the CR at the latest
    if (*colon != ':') return *colon == ' ' || *colon == '\t' ? &kSpaceBeforeColon : &kBadName;
    const std::string_view name(line, static_cast<std::size_t>(colon - line));
    const std::string_view value(colon + 1, static_cast<std::size_t>(end - colon - 1));
    std::construct_at(&fields_[i], name, trim(value));
    line = end + 2;
  }
  field_count_ = line_count_;
  return nullptr;
}

const HeadRefusal* MessageHead::take_content_length(std::string_view value, bool equal_repetition_allowed) {
  if (value.empty() || value.size() > 19) return &kBadLength;  // 19 digits cannot overflow
  std::uint64_t number = 0;
  for (char c : value) {
    const auto digit = static_cast<unsigned>(c) - '0';
    if (digit > 9) return &kBadLength;
    number = number * 10 + digit;
  }
  if (has_content_length_ && !(equal_repetition_allowed && number == content_length_)) return &kTwoLengths;
  has_content_length_ = true;
  content_length_ = number;
  return nullptr;
}

const HeadRefusal* MessageHead::take_transfer_encoding(std::string_view value) {
  if (chunked_ || !equals_ignoring_case(value, "chunked")) return &kBadCoding;
  chunked_ = true;
  return nullptr;
}

void MessageHead::take_connection(std::string_view value) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto option = trim(value.substr(0, comma));
    if (equals_ignoring_case(option, "close")) asks_close_ = true;
    if (equals_ignoring_case(option, "keep-alive")) asks_keep_alive_ = true;
    if (comma == value.npos) return;
    value.remove_prefix(comma + 1);
  }
}

const HeadRefusal* MessageHead::check_framing() const {
  if (!chunked_) return nullptr;
  if (has_content_length_) return &kTwoFramings;
  return minor_version_ == 0 ? &kCodingInOldVersion : nullptr;
}

}  // namespace weir::net
