#pragma once
#include <string_view>

#include <weir/exchange/ending.hpp>

namespace weir::gemini {

/// What an error of the Gemini API or Vertex AI means (google.rpc.Status). A RetryInfo inside it counts as Retry-After
/// where the header is missing (SEMANTICS 8); a quota per day is no limit to wait for.
Ending decode_error(int status, std::string_view body, std::string_view retry_after);

}  // namespace weir::gemini
