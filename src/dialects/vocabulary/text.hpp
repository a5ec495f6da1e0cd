#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::vocabulary {

/// A text on its way from one JSON into another. Every dialect is JSON, so a string keeps the escapes it came with and
/// is copied once, as it is, into the other body: a prompt or an image of megabytes is neither decoded nor encoded.
///
/// Lifetime: a text that is not owned is a view into the body or the event it was read from.
class Text {
 public:
  Text() = default;
  /// The inside of a JSON string that a JsonCursor accepted, with its escapes.
  static Text escaped(std::string_view inside) { return Text{inside, Form::escaped}; }
  /// Plain UTF-8, or JSON text that is to be kept as it is written (a tool call's arguments).
  static Text plain(std::string_view text) { return Text{text, Form::plain}; }
  static Text owned(std::string text) {
    Text made;
    made.owned_ = std::move(text);
    made.form_ = Form::owned;
    return made;
  }

  bool empty() const { return bytes().empty(); }
  /// About the size of the text; with escapes a little more.
  std::size_t size() const { return bytes().size(); }
  /// Appends it as a JSON string with its quotes.
  void append_quoted(std::string& to) const;
  /// The same without quotes: for a string made of several texts.
  void append_escaped(std::string& to) const;
  /// Appends what it means, in UTF-8.
  void append_plain(std::string& to) const;
  std::string str() const {
    std::string text;
    append_plain(text);
    return text;
  }
  bool operator==(std::string_view text) const;

  /// What is written: with escapes if is_escaped().
  std::string_view bytes() const { return form_ == Form::owned ? std::string_view{owned_} : view_; }
  bool is_escaped() const { return form_ == Form::escaped; }

 private:
  enum class Form : std::uint8_t { escaped, plain, owned };
  Text(std::string_view view, Form form) : view_(view), form_(form) {}

  std::string_view view_;
  std::string owned_;
  Form form_ = Form::plain;
};

}  // namespace weir::vocabulary
