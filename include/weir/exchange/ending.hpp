#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <weir/exchange/failure.hpp>

namespace weir {

/// How a call ended, for whoever called down.
struct [[nodiscard]] Ending {
  Failure failure = Failure::none;
  Phase phase = Phase::none;
  std::uint16_t status = 0;   ///< for failures whose status is the provider's own
  bool permanent = false;     ///< the provider will answer the same again: asking it twice is of no use
  bool content_sent = false;  ///< content went to the sink: nothing may be tried again
  std::string message;        ///< for the client: a sentence that says what to change; redacted
  std::string code;           ///< `code` of OpenAI's error body, empty = null
  std::string param;          ///< `param`, empty = null
  std::string provider_body;  ///< the provider's own well-formed error body, forwarded byte for byte (RULINGS 12)
  std::string retry_after;    ///< the provider's, passed on with limit.* and upstream.overloaded
  std::optional<std::chrono::milliseconds> back_in{};  ///< how long the provider asked to wait, in whatever form

  bool ok() const { return failure == Failure::none; }
};

}  // namespace weir
