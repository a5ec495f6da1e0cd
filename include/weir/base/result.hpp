#pragma once
#include <expected>
#include <string>
#include <utility>

namespace weir {

/// What went wrong, in a sentence for a person: it names the thing and says what to change.
struct Error {
  std::string message;
};

template <class T, class E = Error>
using Result = std::expected<T, E>;

/// `return failure("…")` from any function that returns a Result.
inline std::unexpected<Error> failure(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

/// Ends the process with a message when we broke our own rule; stays on in release.
[[noreturn]] void ensure_failed(const char* condition, const char* file, int line);

}  // namespace weir

#define WEIR_ENSURE(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::ensure_failed(#condition, __FILE__, __LINE__))
