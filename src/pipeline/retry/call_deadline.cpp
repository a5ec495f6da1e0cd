#include "pipeline/retry/call_deadline.hpp"

#include <algorithm>
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

CallDeadline::CallDeadline(const Exchange& exchange, TimePoint now) {
  const Plan& plan = exchange.plan;
  at_ = plan.deadline.count() > 0 ? exchange.started + plan.deadline : now + plan.target.time_limits.total;
  if (const auto client = client_timeout(exchange.request.headers)) {
    if (exchange.request.stream && !exchange.raw) {
      // A client's read timeout is between two reads: of a stream it bounds the first byte, not the whole.
      if (*client < std::chrono::seconds(120)) first_byte_ = *client;
    } else {
      at_ = std::min(at_, exchange.started + *client);
    }
  }
}

void CallDeadline::apply(TimeLimits& limits, TimePoint now) const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - now);
  limits.total = std::max(std::min(limits.total, left), std::chrono::milliseconds(1));
  if (first_byte_ && (limits.first_byte.count() == 0 || *first_byte_ < limits.first_byte)) {
    limits.first_byte = *first_byte_;
  }
}

}  // namespace weir::pipeline
