#pragma once
#include <string_view>

#include <weir/exchange/ending.hpp>

namespace weir::bedrock {

/// What an error answer of Bedrock or of AWS's door before it means. Refused credentials name the settings to mend.
Ending decode_error(int status, std::string_view body, std::string_view retry_after);

/// An exception by its name ("throttlingException", x-amzn-ErrorType), as it comes inside a stream.
Ending decode_exception(std::string_view name, std::string_view body);

}  // namespace weir::bedrock
