#pragma once
#include <string>
#include <string_view>

namespace weir::openai_chat {

/// OpenAI's error body; an empty `param` or `code` becomes null. What is not UTF-8 in the texts becomes U+FFFD.
std::string encode_error(std::string_view message, std::string_view type, std::string_view param,
                         std::string_view code);

/// Whether a body is an error as OpenAI's clients read it: an error object with all four fields, `message` and `type`
/// strings, `param` a string or null and `code` a string or null (llama.cpp sends an integer). Such a body is passed on
/// byte for byte.
bool is_well_formed_error(std::string_view body);

/// What a provider said went wrong, as it said it: not redacted.
struct ProviderError {
  std::string message;
  std::string type;
  std::string code;  ///< integers as digits
  std::string param;
  int status = 0;  ///< an integer code or status inside the body, as in an error inside a 200; 0 = none
};

/// Reads an error body of any make: {"error": {…}}, {"error": "…"}, {"message"}, {"detail"}, a list around one of
/// them, plain text, or a web page, whose title or text is the message. Never fails; the message may be empty.
ProviderError read_error(std::string_view body);

}  // namespace weir::openai_chat
