#pragma once
#include <string>

#include <weir/exchange/failure.hpp>

namespace weir::vocabulary {

/// Why a request is not taken: for the client, in its own dialect's error body.
struct Refusal {
  Failure failure = Failure::client_malformed;
  std::string message;  ///< says what to change; holds nothing of the prompt
  std::string param;    ///< empty = null
  std::string code;     ///< empty = null
  bool operator==(const Refusal&) const = default;
};

}  // namespace weir::vocabulary
