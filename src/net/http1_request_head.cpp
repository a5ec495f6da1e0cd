#include <algorithm>
#include <array>

#include "net/http1_characters.hpp"
#include "net/http1_head.hpp"
#include "weir/base/ascii.hpp"

namespace weir::net {
namespace {

constexpr HeadRefusal kEmptyLines{400, "There is more than one empty line before the request line; send none."};
constexpr HeadRefusal kBadRequestLine{400, "The request line is not `METHOD /path HTTP/1.1` with single spaces."};
constexpr HeadRefusal kBadTarget{400, "The path has a character that must be percent-encoded, or a broken escape."};
constexpr HeadRefusal kDotSegment{400, "The path has a `.` or `..` segment; send the path it stands for."};
constexpr HeadRefusal kTargetForm{400, "The request target must be a path that begins with `/`, not a whole URL."};
constexpr HeadRefusal kTargetTooLong{414, "The path with its query is too long; send a shorter one."};
constexpr HeadRefusal kVersion{505, "This HTTP version is not spoken here; send HTTP/1.1."};
constexpr HeadRefusal kMethodNotAllowed{405, "This method is not used here; send GET, POST, PUT, PATCH or DELETE."};
constexpr HeadRefusal kMethodUnknown{501, "This method is not known; method names are upper case, such as POST."};
constexpr HeadRefusal kNoHost{400, "There is no Host header; send one."};
constexpr HeadRefusal kTwoHosts{400, "There are two Host headers; send one."};
constexpr HeadRefusal kBadHost{400, "The Host header is not a host name or address with an optional port."};
constexpr HeadRefusal kUnderscore{
    400, "A header is spelt with `_` where `-` belongs; send Content-Length or Transfer-Encoding."};
constexpr HeadRefusal kExpectation{417, "Only `Expect: 100-continue` is understood; leave the header out."};
constexpr HeadRefusal kContentEncoding{
    415, "Compressed request bodies are not taken; send the body without Content-Encoding."};

constexpr std::array<std::string_view, 7> kMethods{"POST", "GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"};
/// Registered with IANA and of no use to an API: 405 tells them from a typing error.
constexpr std::array<std::string_view, 33> kMethodsNotAllowed{"ACL",
                                                              "BASELINE-CONTROL",
                                                              "BIND",
                                                              "CHECKIN",
                                                              "CHECKOUT",
                                                              "CONNECT",
                                                              "COPY",
                                                              "LABEL",
                                                              "LINK",
                                                              "LOCK",
                                                              "MERGE",
                                                              "MKACTIVITY",
                                                              "MKCALENDAR",
                                                              "MKCOL",
                                                              "MKREDIRECTREF",
                                                              "MKWORKSPACE",
                                                              "MOVE",
                                                              "ORDERPATCH",
                                                              "PROPFIND",
                                                              "PROPPATCH",
                                                              "PURGE",
                                                              "QUERY",
                                                              "REBIND",
                                                              "REPORT",
                                                              "SEARCH",
                                                              "TRACE",
                                                              "UNBIND",
                                                              "UNCHECKOUT",
                                                              "UNLINK",
                                                              "UNLOCK",
                                                              "UPDATE",
                                                              "UPDATEREDIRECTREF",
                                                              "VERSION-CONTROL"};

/// Every % has two hex digits.
bool has_whole_escapes(std::string_view target) {
  for (auto at = target.find('%'); at != target.npos; at = target.find('%', at + 1)) {
    const auto digits = target.substr(at + 1, 2);
    if (digits.size() != 2 || !all_are(kHexDigit, digits)) return false;
  }
  return true;
}

/// A segment `.` or `..`, also when a dot is written %2e: what a proxy or provider behind us would resolve.
bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    std::size_t dots = 0;
    for (auto rest = path.substr(0, end);; ++dots) {
      if (rest.empty()) break;
      if (rest.front() == '.') {
        rest.remove_prefix(1);
      } else if (equals_ignoring_case(rest.substr(0, 3), "%2e")) {
        rest.remove_prefix(3);
      } else {
        dots = 0;
        break;
      }
    }
    if (dots == 1 || dots == 2) return true;
    path.remove_prefix(end);
  }
  return false;
}

/// host [":" port], the host a name, an IPv4 or a bracketed IPv6 address (RFC 9110 section 7.2).
bool is_host(std::string_view value) {
  std::size_t end = 0;
  if (value.starts_with('[')) {
    end = std::min(value.find(']'), value.size() - 1) + 1;
    const auto address = value.substr(1, end - 2);
    if (end < 4 || value[end - 1] != ']') return false;
    if (!std::ranges::all_of(address, [](char c) { return is(kHexDigit, c) || c == ':' || c == '.'; })) return false;
  } else {
    while (end < value.size() && is(kHostName, value[end])) ++end;
    if (end == 0) return false;
  }
  const auto port = value.substr(end);
  if (port.empty()) return true;
  return port.front() == ':' && port.size() <= 6 && port.find_first_not_of("0123456789", 1) == port.npos;
}

/// `classes` are those of the target's bytes together.
const HeadRefusal* check_target_form(std::string_view target, std::string_view method, unsigned classes) {
  if (!target.starts_with('/')) return target == "*" && method == "OPTIONS" ? nullptr : &kTargetForm;
  if ((classes & kDotOrPercent) == 0) return nullptr;
  if (!has_whole_escapes(target)) return &kBadTarget;
  return has_dot_segment(target.substr(0, target.find('?'))) ? &kDotSegment : nullptr;
}

const HeadRefusal* check_method(std::string_view method) {
  if (std::ranges::find(kMethods, method) != kMethods.end()) return nullptr;
  const bool registered = std::ranges::find(kMethodsNotAllowed, method) != kMethodsNotAllowed.end();
  return registered ? &kMethodNotAllowed : &kMethodUnknown;
}

}  // namespace

void RequestHead::reset() {
  reset_message();
  base_ = nullptr;
  method_ = target_ = {};
  host_ = {};
  expects_continue_ = false;
}

ScanState RequestHead::scan(std::string_view buffer, const HeadLimits& limits) {
  if (state_ != ScanState::need_more) return state_;
  while (!has_first_line_) {
    const bool skipped_one = line_begin_ > 0;
    const auto line = take_first_line(buffer, limits);
    if (!line) return state_;
    if (line->size == 0) {
      if (skipped_one) return refuse(kEmptyLines);
      continue;
    }
    if (const auto* refusal = take_request_line(buffer.substr(line->begin, line->size), limits))
      return refuse(*refusal);
    method_.begin += line->begin;
    target_.begin += line->begin;
    has_first_line_ = true;
  }
  if (!take_field_lines(buffer, limits)) return state_;
  if (const auto* refusal = split_fields(buffer)) return refuse(*refusal);
  if (const auto* refusal = take_fields()) return refuse(*refusal);
  base_ = buffer.data();
  return state_ = ScanState::complete;
}

const HeadRefusal* RequestHead::take_request_line(std::string_view line, const HeadLimits& limits) {
  const auto method_end = line.find(' ');
  if (method_end == line.npos) return &kBadRequestLine;
  const auto target_end = line.find(' ', method_end + 1);
  if (target_end == line.npos) return &kBadRequestLine;
  const auto method = line.substr(0, method_end);
  const auto target = line.substr(method_end + 1, target_end - method_end - 1);
  const auto version = line.substr(target_end + 1);
  if (method.empty() || !all_are(kToken, method) || target.empty()) return &kBadRequestLine;
  unsigned in_all = kTarget;
  unsigned in_any = 0;
  for (char c : target) {
    in_all &= classes_of(c);
    in_any |= classes_of(c);
  }
  if (in_all == 0) return &kBadTarget;
  if (version == "HTTP/1.1") {
    minor_version_ = 1;
  } else if (version == "HTTP/1.0") {
    minor_version_ = 0;
  } else {
    const bool other_version = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                               static_cast<unsigned>(version[5]) - '0' < 10U &&
                               static_cast<unsigned>(version[7]) - '0' < 10U;
    return other_version ? &kVersion : &kBadRequestLine;
  }
  if (target.size() > limits.target_bytes_max) return &kTargetTooLong;
  if (const auto* refusal = check_method(method)) return refusal;
  if (const auto* refusal = check_target_form(target, method, in_any)) return refusal;
  method_ = {0, static_cast<std::uint32_t>(method.size())};
  target_ = {static_cast<std::uint32_t>(method_end + 1), static_cast<std::uint32_t>(target.size())};
  return nullptr;
}

/// The fields that decide on framing and connection; their lengths tell them from nearly all others.
const HeadRefusal* RequestHead::take_fields() {
  for (const auto& [name, value] : fields()) {
    const HeadRefusal* refusal = nullptr;
    switch (name.size()) {
      case 4:
        if (equals_ignoring_case(name, "host")) refusal = take_host(value);
        break;
      case 6:
        if (equals_ignoring_case(name, "expect")) refusal = take_expect(value);
        break;
      case 10:
        if (equals_ignoring_case(name, "connection")) take_connection(value);
        break;
      case 14:
        if (equals_ignoring_case(name, "content-length")) refusal = take_content_length(value, false);
        if (equals_ignoring_case(name, "content_length")) refusal = &kUnderscore;
        break;
      case 16:
        if (equals_ignoring_case(name, "content-encoding") && !value.empty() &&
            !equals_ignoring_case(value, "identity")) {
          refusal = &kContentEncoding;
        }
        break;
      case 17:
        if (equals_ignoring_case(name, "transfer-encoding")) refusal = take_transfer_encoding(value);
        if (equals_ignoring_case(name, "transfer_encoding")) refusal = &kUnderscore;
        break;
      default:
        break;
    }
    if (refusal) return refusal;
  }
  if (host_.empty()) return &kNoHost;
  if (minor_version_ == 0) expects_continue_ = false;  // RFC 9110 section 10.1.1
  return check_framing();
}

const HeadRefusal* RequestHead::take_host(std::string_view value) {
  if (!host_.empty()) return &kTwoHosts;
  if (value.empty() || !is_host(value)) return &kBadHost;
  host_ = value;
  return nullptr;
}

const HeadRefusal* RequestHead::take_expect(std::string_view value) {
  if (value.empty()) return nullptr;
  if (!equals_ignoring_case(value, "100-continue")) return &kExpectation;
  expects_continue_ = true;
  return nullptr;
}

}  // namespace weir::net
