#include "dialects/gemini/schema_words.hpp"

#include <algorithm>
#include <array>

#include "dialects/json/cursor.hpp"

namespace weir::gemini {
namespace {

/// With the name for the report: a keyword is no text of the caller's, so it may be a label.
constexpr auto kUnheeded = std::to_array<std::string_view>({"schema.pattern",
                                                            "schema.minLength",
                                                            "schema.maxLength",
                                                            "schema.const",
                                                            "schema.not",
                                                            "schema.allOf",
                                                            "schema.if",
                                                            "schema.then",
                                                            "schema.else",
                                                            "schema.patternProperties",
                                                            "schema.propertyNames",
                                                            "schema.uniqueItems",
                                                            "schema.multipleOf",
                                                            "schema.exclusiveMinimum",
                                                            "schema.exclusiveMaximum",
                                                            "schema.contains",
                                                            "schema.minProperties",
                                                            "schema.maxProperties",
                                                            "schema.dependentRequired",
                                                            "schema.dependentSchemas",
                                                            "schema.unevaluatedProperties",
                                                            "schema.unevaluatedItems"});

/// Keywords whose members are named by the caller, each a schema.
constexpr auto kMaps =
    std::to_array<std::string_view>({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"});
/// Keywords whose value is data.
constexpr auto kData = std::to_array<std::string_view>({"enum", "const", "default", "example", "examples", "required"});

class Walk {
 public:
  Walk(std::string_view schema, vocabulary::Dropped& dropped) : cursor_{schema}, dropped_{dropped} {}

  /// Requires: the cursor is before a value. Depth is bounded by the cursor.
  bool schema() {
    const char first = cursor_.peek();
    if (first == '[') return cursor_.read_array([this] { return schema(); });
    if (first != '{') return cursor_.skip_value();
    return cursor_.read_object([this](const json::String& key, std::size_t) {
      const auto word = std::ranges::find_if(kUnheeded, [&](auto name) { return name.substr(7) == key.raw; });
      if (word != kUnheeded.end()) dropped_.add(*word);
      if (std::ranges::find(kData, key.raw) != kData.end()) return cursor_.skip_value();
      if (std::ranges::find(kMaps, key.raw) == kMaps.end() || cursor_.peek() != '{') return schema();
      return cursor_.read_object([this](const json::String&, std::size_t) { return schema(); });
    });
  }

 private:
  json::Cursor cursor_;
  vocabulary::Dropped& dropped_;
};

}  // namespace

void note_unsupported_words(std::string_view schema, vocabulary::Dropped& dropped) {
  Walk{schema, dropped}.schema();
}

}  // namespace weir::gemini
