#include "telemetry/trace_answer.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"

namespace weir::telemetry {
namespace {

constexpr std::size_t kComplaintBytesMax = 200;

/// Seconds or an HTTP date (RFC 9110, 10.2.3).
std::optional<std::chrono::seconds> read_retry_after(std::string_view text, std::int64_t unix_ms) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error == std::errc::result_out_of_range) return std::nullopt;
  if (error != std::errc{} || end != text.data() + text.size()) {
    std::tm date{};
    const char* rest = strptime(std::string{text}.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (rest == nullptr) return std::nullopt;
    seconds = timegm(&date) - unix_ms / 1000;
  }
  return std::clamp(std::chrono::seconds{seconds}, std::chrono::seconds{0}, retry_after_max);
}

/// `rejectedSpans` is a 64-bit integer, so a string in protobuf's JSON; some collectors write a number.
std::uint64_t count_of(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  std::uint64_t count = 0;
  if (const auto* text = value.get_ptr<const std::string*>()) {
    std::from_chars(text->data(), text->data() + text->size(), count);
  }
  return count;
}

void read_partial_success(std::string_view body, TraceAnswer& answer) {
  const auto tree = nlohmann::json::parse(body, nullptr, false);
  if (!tree.is_object()) return;  // an empty body or one in protobuf: delivered
  const auto partial = tree.find("partialSuccess");
  if (partial == tree.end() || !partial->is_object()) return;
  if (const auto rejected = partial->find("rejectedSpans"); rejected != partial->end()) {
    answer.rejected = count_of(*rejected);
  }
  const auto said = partial->find("errorMessage");
  const bool words = said != partial->end() && said->is_string();
  if (answer.rejected == 0) return;  // words alone are a warning that asks for nothing
  answer.complaint = fmt::format("it rejected {} spans{}{}", answer.rejected, words ? ": " : "",
                                 words ? cut_text(said->get_ref<const std::string&>(), kComplaintBytesMax) : "");
}

}  // namespace

TraceAnswer read_answer(unsigned status, std::string_view body, std::string_view retry_after, std::int64_t unix_ms) {
  TraceAnswer answer;
  answer.delivered = status >= 200 && status < 300;
  if (answer.delivered) {
    read_partial_success(body, answer);
    return answer;
  }
  answer.again = status == 429 || status == 502 || status == 503 || status == 504;
  if (answer.again) answer.wait = read_retry_after(retry_after, unix_ms);
  answer.complaint = fmt::format("it answered {}", status);
  return answer;
}

std::chrono::milliseconds backoff(unsigned tries, std::uint64_t dice) {
  constexpr std::uint64_t first_ms = 1'000;
  constexpr std::uint64_t most_ms = 30'000;
  const std::uint64_t ceiling = std::min(most_ms, first_ms << std::min(tries, 10U));
  return std::chrono::milliseconds{ceiling / 2 + dice % (ceiling / 2 + 1)};
}

}  // namespace weir::telemetry
