#pragma once
#include <span>
#include <string>
#include <string_view>

#include <weir/exchange/ending.hpp>

namespace weir::openai_chat {

/// What one of a provider's own codes means (config/providers.yaml).
struct ErrorCode {
  std::string code;  ///< in small letters: the error's `code`, else its `type`
  Failure failure = Failure::none;
  bool operator==(const ErrorCode&) const = default;
};

/// Whether the client is told how long the provider asked to wait (SEMANTICS 8).
bool passes_wait_on(Failure failure);

/// What a provider's error means for the call: its class, the message for the client (redacted), `code` and `param`;
/// the provider's own body where it may be passed on (RULINGS 12), and its Retry-After where passes_wait_on(). `phase`
/// and `content_sent` are the caller's.
///
/// `status` is the provider's; 200 for an error inside a 200 or inside a stream, whose body may name a status itself.
/// `retry_after`: the header's value, empty if there was none. `codes`: the provider's, which decide before the status
/// does.
Ending classify_error(int status, std::string_view body, std::string_view retry_after,
                      std::span<const ErrorCode> codes = {});

}  // namespace weir::openai_chat
