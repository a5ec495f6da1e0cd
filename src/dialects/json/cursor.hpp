#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <weir/exchange/limits.hpp>

namespace weir::json {

/// A string as it stands between its quotes; `escaped` says that decode() is needed to know what it means.
struct String {
  std::string_view raw;
  bool escaped = false;
};

struct Number {
  std::string_view raw;
  bool integer = false;
};

/// What a string means, in UTF-8. Requires: the cursor accepted it.
std::string decode(const String& text);

/// Reads a JSON text (RFC 8259) once from front to back, strictly and without a tree: what it passes over is checked
/// as well as what it hands out, and it knows where everything stands. Refused beyond the RFC, as simdjson does: depth
/// above limits::json_depth_max and numbers that fit neither a 64-bit integer nor a finite double; and surrogates that
/// are not a pair. Not looked at: whether the bytes are UTF-8 (valid_utf8() does).
///
/// Every function that returns bool returns false at the first error and leaves the cursor there; problem() says what
/// was expected. Lifetime: views point into the text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view problem() const { return problem_; }
  bool fail(std::string_view expected) {
    problem_ = expected;
    return false;
  }

  /// The first byte of what comes next, after white space; NUL at the end.
  char peek() {
    while (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ') {
      if (*at_ != ' ' && *at_ != '\n' && *at_ != '\r' && *at_ != '\t') break;
      ++at_;
    }
    return at_ == end_ ? '\0' : *at_;
  }
  bool at_end() {
    peek();
    return at_ == end_ || fail("nothing more after the end of the document");
  }

  /// Requires: peek() is a quote.
  bool read_string(String& into) {
    const char* from = ++at_;
    into.escaped = false;
    for (;;) {
      at_ = find_string_stop(at_, end_);
      if (at_ == end_) return fail("the end of a string");
      if (*at_ == '"') {
        into.raw = {from, static_cast<std::size_t>(at_ - from)};
        ++at_;
        return true;
      }
      if (*at_ != '\\') return fail("no control character inside a string");
      into.escaped = true;
      if (end_ - at_ >= 2 && (at_[1] == 'n' || at_[1] == '"' || at_[1] == '\\')) {
        at_ += 2;  // nearly all escapes of a prompt
      } else if (!pass_escape()) {
        return false;
      }
    }
  }

  /// Requires: peek() is '-' or a digit.
  bool read_number(Number& into);

  /// Requires: peek() is the first letter of `word`.
  bool read_word(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
      return fail("true, false or null");
    }
    at_ += word.size();
    return true;
  }

  /// Requires: peek() is '{'. Calls `member(const String& key, std::size_t key_offset)` with the cursor before the
  /// value, which `member` must read or skip. Afterwards offset() - 1 is the closing brace.
  template <class Member>
  bool read_object(Member&& member) {
    if (!enter()) return false;
    if (peek() == '}') return leave();
    for (;;) {
      const std::size_t key_offset = offset();
      String key;
      if (!read_key(key) || !member(std::as_const(key), key_offset)) return false;
      const char next = peek();
      if (next == '}') return leave();
      if (next != ',') return fail("',' or '}'");
      ++at_;
      if (peek() != '"') return fail("a key in quotes");
    }
  }

  /// Requires: peek() is '['. Calls `element()` with the cursor before each value, which it must read or skip.
  template <class Element>
  bool read_array(Element&& element) {
    if (!enter()) return false;
    if (peek() == ']') return leave();
    for (;;) {
      if (!element()) return false;
      const char next = peek();
      if (next == ']') return leave();
      if (next != ',') return fail("',' or ']'");
      ++at_;
    }
  }

  /// Checks whatever value comes next and goes behind it. Does not recurse.
  bool skip_value();

 private:
  static const char* find_string_stop(const char* at, const char* end);
  bool enter() {
    ++at_;
    return ++depth_ <= limits::json_depth_max || fail("less nesting");
  }
  bool leave() {
    ++at_;
    --depth_;
    return true;
  }
  bool read_key(String& key) {
    if (peek() != '"') return fail("a key in quotes");
    if (!read_string(key)) return false;
    if (peek() != ':') return fail("':' after a key");
    ++at_;
    return true;
  }
  bool skip_scalar(char first);
  bool pass_escape();
  bool read_hex4(std::uint32_t& unit);

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t depth_ = 0;
  std::string_view problem_;
};

/// The first quote, backslash or control character, or `end`. Sixteen bytes at a time: prompts are mostly strings.
inline const char* Cursor::find_string_stop(const char* at, const char* end) {
  using Bytes = unsigned char __attribute__((ext_vector_type(16)));
  using Hits = bool __attribute__((ext_vector_type(16)));
  while (end - at >= 16) {
    Bytes bytes;
    std::memcpy(&bytes, at, 16);
    const auto hit = (bytes == '"') | (bytes == '\\') | (bytes < 0x20);
    const auto mask = std::bit_cast<std::uint16_t>(__builtin_convertvector(hit, Hits));
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

inline bool Cursor::skip_scalar(char first) {
  switch (first) {
    case '"': {
      String ignored;
      return read_string(ignored);
    }
    case 't':
      return read_word("true");
    case 'f':
      return read_word("false");
    case 'n':
      return read_word("null");
    default: {
      if (first != '-' && static_cast<unsigned>(first - '0') > 9) return fail("a value");
      Number ignored;
      return read_number(ignored);
    }
  }
}

}  // namespace weir::json
