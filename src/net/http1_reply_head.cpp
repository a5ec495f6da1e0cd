#include "net/http1_characters.hpp"
#include "net/http1_head.hpp"
#include "weir/base/ascii.hpp"

namespace weir::net {
namespace {
constexpr HeadRefusal kBadStatusLine{502, "The answer does not begin with `HTTP/1.1` and a status from 100 to 599."};
}

void ReplyHead::reset() {
  reset_message();
  status_ = 0;
}

ScanState ReplyHead::scan(std::string_view buffer, const HeadLimits& limits) {
  if (state_ != ScanState::need_more) return state_;
  if (!has_first_line_) {
    const auto line = take_first_line(buffer, limits);
    if (!line) return state_;
    if (const auto* refusal = take_status_line(buffer.substr(line->begin, line->size))) return refuse(*refusal);
    has_first_line_ = true;
  }
  if (!take_field_lines(buffer, limits)) return state_;
  if (const auto* refusal = split_fields(buffer)) return refuse(*refusal);
  if (const auto* refusal = take_fields()) return refuse(*refusal);
  return state_ = ScanState::complete;
}

/// `HTTP/1.1 200 OK`. The text, and the space before it, may be missing: many servers leave out both.
const HeadRefusal* ReplyHead::take_status_line(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') return &kBadStatusLine;
  if (line[7] != '0' && line[7] != '1') return &kBadStatusLine;
  unsigned status = 0;
  for (char c : line.substr(9, 3)) {
    const auto digit = static_cast<unsigned>(c) - '0';
    if (digit > 9) return &kBadStatusLine;
    status = status * 10 + digit;
  }
  if (status < 100 || status > 599) return &kBadStatusLine;
  if (line.size() > 12 && (line[12] != ' ' || !all_are(kValue, line.substr(12)))) return &kBadStatusLine;
  minor_version_ = line[7] == '1' ? 1 : 0;
  status_ = static_cast<int>(status);
  return nullptr;
}

const HeadRefusal* ReplyHead::take_fields() {
  for (const auto& [name, value] : fields()) {
    const HeadRefusal* refusal = nullptr;
    if (equals_ignoring_case(name, "connection")) take_connection(value);
    if (equals_ignoring_case(name, "content-length")) refusal = take_content_length(value, true);
    if (equals_ignoring_case(name, "transfer-encoding")) refusal = take_transfer_encoding(value);
    if (refusal) return refusal;
  }
  return check_framing();
}

}  // namespace weir::net
