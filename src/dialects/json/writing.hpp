#pragma once
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::json {

/// Appends an object member by member: commas and keys are its own, values the caller's. Requires: keys need no escape.
class Members {
 public:
  explicit Members(std::string& to) : to_(to) { to_ += '{'; }
  /// Where the value of the next member goes.
  std::string& operator[](std::string_view key) {
    to_ += any_ ? ",\"" : "\"";
    any_ = true;
    to_.append(key).append("\":");
    return to_;
  }
  void close() { to_ += '}'; }
  bool any() const { return any_; }

 private:
  std::string& to_;
  bool any_ = false;
};

/// The same for an array.
class Elements {
 public:
  explicit Elements(std::string& to) : to_(to) { to_ += '['; }
  std::string& next() {
    if (any_) to_ += ',';
    any_ = true;
    return to_;
  }
  void close() { to_ += ']'; }

 private:
  std::string& to_;
  bool any_ = false;
};

inline void append_integer(std::string& to, std::int64_t value) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace weir::json
