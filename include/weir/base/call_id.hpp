#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include <weir/base/random.hpp>

namespace weir {

/// weir's own id of one call: a UUIDv7 (RFC 9562, 5.7) in its 36-character form, so ids sort by time.
class CallId {
 public:
  CallId() = default;
  static CallId make(std::int64_t unix_ms, Random& random);
  std::string_view text() const { return {text_.data(), text_.size()}; }
  bool operator==(const CallId&) const = default;

 private:
  std::array<char, 36> text_{};
};

}  // namespace weir
