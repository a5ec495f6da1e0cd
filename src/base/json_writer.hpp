#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir {

/// Appends JSON to memory that stands still: what is written per call (log line, recent calls) without a tree and
/// without an allocation. Commas and braces are the caller's.
///
/// Invariant: never writes past `end`; what does not fit is left out whole and overflowed() stays true.
/// Strings come out as valid UTF-8 whatever went in: bytes that are none become U+FFFD.
class JsonWriter {
 public:
  JsonWriter(char* begin, char* end) : at_(begin), end_(end) {}

  void raw(std::string_view text) {
    if (!has_room(text.size())) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  /// Quoted and escaped; at most `bytes_max` bytes of it, cut between characters.
  void string(std::string_view text, std::size_t bytes_max = static_cast<std::size_t>(-1));
  void number(std::int64_t value) {
    if (!has_room(20)) return;
    at_ = std::to_chars(at_, end_, value).ptr;
  }
  /// `value` / 10^digits, with all its digits: decimal(1'500, 3) is 1.500.
  void decimal(std::int64_t value, unsigned digits);
  void boolean(bool value) { raw(value ? std::string_view{"true"} : std::string_view{"false"}); }

  char* at() const { return at_; }
  bool overflowed() const { return overflowed_; }

 private:
  bool has_room(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) >= bytes) return true;
    overflowed_ = true;
    return false;
  }
  void string_with_care(std::string_view text);

  char* at_;
  char* end_;
  bool overflowed_ = false;
};

/// `text` as a JSON string, with its quotes.
std::string json_string(std::string_view text);

/// `text` with every byte that is not part of a UTF-8 character replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// At most `bytes_max` bytes of `text`, cut between characters.
std::string_view cut_text(std::string_view text, std::size_t bytes_max);

}  // namespace weir
