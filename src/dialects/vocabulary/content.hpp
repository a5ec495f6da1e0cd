#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "dialects/vocabulary/text.hpp"

namespace weir::vocabulary {

/// Where an image, a document or a sound is.
struct Media {
  enum class Source : std::uint8_t { url, base64, text, file_id };
  Source source = Source::base64;
  Text media_type;  ///< "image/png"; empty with a URL or a file id
  Text data;        ///< the URL, the base64, the text, or the id of a file the provider holds
};

/// A provider's marker "cached up to here"; carried where the caller set it, never made by us.
struct CacheControl {
  Text ttl;  ///< "5m", "1h"; empty = not said
};

/// Where a statement comes from. Fields that a dialect does not have stay empty.
struct Citation {
  Text url;
  Text title;
  Text cited_text;
  std::int64_t start = -1;  ///< in characters of the answer; -1 = not said
  std::int64_t end = -1;
  std::string_view raw;  ///< the whole as the provider wrote it (JSON), for a client of the same dialect
};

struct TextPart {
  Text text;
  std::vector<Citation> citations;
};
struct ImagePart {
  Media media;
  Text detail;  ///< OpenAI's low, high, auto
};
struct DocumentPart {
  Media media;
  Text name;  ///< file name or title
  bool citations = false;
};
struct AudioPart {
  Media media;  ///< media_type "audio/wav"
};
/// `arguments` is a JSON object as text, as the model wrote it: str() or append_plain() is the JSON. Empty means {}.
struct ToolCallPart {
  Text id;  ///< may be empty where a dialect has none (Gemini)
  Text name;
  Text arguments;
  Text signature;  ///< Gemini's thought signature
};
/// Reasoning that the model showed; `signature` must come back unchanged or the provider refuses it.
struct ThinkingPart {
  Text text;
  Text signature;  ///< Anthropic signature, Gemini thought signature, Responses encrypted_content
  Text id;         ///< Responses item id
};
struct RedactedThinkingPart {
  Text data;
};
struct RefusalPart {
  Text text;
};
struct Part;
struct ToolResultPart {
  Text call_id;
  Text name;                  ///< often empty: tool_name_of() finds it by the id
  std::vector<Part> content;  ///< TextPart, ImagePart, DocumentPart
  bool is_error = false;
};

struct Part {
  std::variant<TextPart, ImagePart, DocumentPart, AudioPart, ToolCallPart, ToolResultPart, ThinkingPart,
               RedactedThinkingPart, RefusalPart>
      value;
  std::optional<CacheControl> cache = std::nullopt;

  template <class Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&value);
  }
  template <class Kind>
  Kind* as() {
    return std::get_if<Kind>(&value);
  }
};

}  // namespace weir::vocabulary
