#include "dialects/gemini/error_reader.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "dialects/json/cursor.hpp"
#include "dialects/openai_chat/error_class.hpp"

namespace weir::gemini {
namespace {

struct Details {
  std::string retry_after;  ///< whole seconds
  bool per_day = false;
};

/// "34s" or "34.074824224s", rounded up; empty if it is no time to wait for.
std::string whole_seconds(std::string_view delay) {
  double seconds = -1;
  const auto [stop, error] = std::from_chars(delay.data(), delay.data() + delay.size(), seconds);
  const bool is_seconds = error == std::errc{} && stop + 1 == delay.data() + delay.size() && *stop == 's';
  if (!is_seconds || seconds < 0 || seconds > 86'400) return {};
  return std::to_string(static_cast<int>(std::ceil(seconds)));
}

/// Details are lists of messages of any type: what is looked for is known by its key, wherever it stands.
bool scan(json::Cursor& cursor, Details& into) {
  const char first = cursor.peek();
  if (first == '[') return cursor.read_array([&] { return scan(cursor, into); });
  if (first != '{') return cursor.skip_value();
  return cursor.read_object([&](const json::String& key, std::size_t) {
    if (cursor.peek() != '"') return scan(cursor, into);
    json::String value;
    if (!cursor.read_string(value)) return false;
    if (key.raw == "retryDelay") into.retry_after = whole_seconds(value.raw);
    if (key.raw == "quotaId") into.per_day = into.per_day || value.raw.find("PerDay") != std::string_view::npos;
    return true;
  });
}

}  // namespace

Ending decode_error(int status, std::string_view body, std::string_view retry_after) {
  Details details;
  json::Cursor cursor{body};
  scan(cursor, details);
  const std::string_view wait = retry_after.empty() ? std::string_view{details.retry_after} : retry_after;
  Ending ending = openai_chat::classify_error(status, body, wait);
  ending.provider_body.clear();  // another dialect's
  if (ending.failure == Failure::limit_rate && details.per_day) ending.failure = Failure::limit_quota;
  if (ending.failure == Failure::upstream_credentials) {
    ending.message =
        "Google refused the credentials of this provider: check its api_key, or for Vertex its service_account, "
        "project "
        "and location.";
  }
  return ending;
}

}  // namespace weir::gemini
