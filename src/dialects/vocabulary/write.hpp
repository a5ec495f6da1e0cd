#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dialects/json/text.hpp"
#include "dialects/vocabulary/text.hpp"

namespace weir::vocabulary {

/// Appends JSON to a string that may hold other text already. Commas come by themselves: a value is preceded by one
/// unless what is before it opens something. Keys are ours and are not escaped; the caller closes what he opens.
class Writer {
 public:
  explicit Writer(std::string& to) : to_(to) {}

  Writer& key(std::string_view name) {
    separate();
    to_ += '"';
    to_ += name;
    to_ += "\":";
    return *this;
  }
  void open_object() { begin('{'); }
  /// The outermost object, whatever stands before it.
  void open_document() { to_ += '{'; }
  void close_object() { to_ += '}'; }
  void open_array() { begin('['); }
  void close_array() { to_ += ']'; }

  /// A value as it is written.
  void raw(std::string_view value) {
    separate();
    to_ += value;
  }
  void string(std::string_view value) {
    separate();
    json::append_quoted(to_, value);
  }
  void text(const Text& value) {
    separate();
    value.append_quoted(to_);
  }
  void integer(std::int64_t value) {
    separate();
    char digits[24];
    to_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void boolean(bool value) { raw(value ? "true" : "false"); }

  /// Members that are left out where they have nothing to say.
  void text_member(std::string_view name, const Text& value) {
    if (!value.empty()) key(name).text(value);
  }
  void raw_member(std::string_view name, std::string_view value) {
    if (!value.empty()) key(name).raw(value);
  }
  std::string& target() { return to_; }

 private:
  void begin(char bracket) {
    separate();
    to_ += bracket;
  }
  void separate() {
    if (to_.empty()) return;
    const char last = to_.back();  // a whole value never ends in one of these
    if (last != '{' && last != '[' && last != ':' && last != ',' && last != ' ' && last != '\n') to_ += ',';
  }

  std::string& to_;
};

}  // namespace weir::vocabulary
