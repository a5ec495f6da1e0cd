#include "pipeline/retry/call_deadline.hpp"

#include <charconv>
#include <string_view>

#include <weir/base/ascii.hpp>

namespace weir::pipeline {

std::optional<std::chrono::milliseconds> client_timeout(std::span<const HeaderField> headers) {
  static constexpr std::string_view kPython = "x-stainless-read-timeout";
  static constexpr std::string_view kNode = "x-stainless-timeout";
  for (const HeaderField& field : headers) {
    const std::size_t size = field.name.size();
    if (size != kPython.size() && size != kNode.size()) continue;
    if (!equals_ignoring_case(field.name, size == kPython.size() ? kPython : kNode)) continue;
    double seconds = 0;
    const char* end = field.value.data() + field.value.size();
    const auto parsed = std::from_chars(field.value.data(), end, seconds);
    if (parsed.ec != std::errc{} || parsed.ptr != end || !(seconds > 0) || seconds > 86'400) continue;
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  return std::nullopt;
}

}  // namespace weir::pipeline
