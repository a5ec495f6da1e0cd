#include "dialects/anthropic/usage_reader.hpp"

#include <algorithm>
#include <charconv>

#include "dialects/vocabulary/read.hpp"

namespace weir::anthropic {

using namespace vocabulary;

namespace {

constexpr std::int64_t kTokensMax = 1LL << 40;  // as in openai_chat: no reply has a trillion tokens

bool read_count(json::Cursor& cursor, std::optional<std::int64_t>& into) {
  const char first = cursor.peek();
  if (first != '-' && static_cast<unsigned>(first - '0') > 9) return cursor.skip_value();
  std::string_view raw;
  if (!read_number(cursor, raw)) return false;
  double value = -1;
  std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (value >= 0 && value <= static_cast<double>(kTokensMax)) into = static_cast<std::int64_t>(value);
  return true;
}

}  // namespace

UsageReport UsageCounters::report() const {
  UsageReport report;
  Usage& usage = report.usage;
  usage.uncached = input.value_or(0);
  usage.cache_write = cache_creation.value_or(0);
  usage.cache_read = cache_read.value_or(0);
  usage.output = output.value_or(0);
  usage.reasoning = std::min(thinking.value_or(0), usage.output);
  usage.reported = input.has_value() || output.has_value();
  report.details.cache_write_1h = std::min(cache_1h.value_or(0), usage.cache_write);
  return report;
}

bool read_usage(json::Cursor& cursor, UsageCounters& into) {
  if (cursor.peek() != '{') return cursor.skip_value();
  return each_member(cursor, [&](std::string_view key) {
    if (key == "input_tokens") return read_count(cursor, into.input);
    if (key == "output_tokens") return read_count(cursor, into.output);
    if (key == "cache_creation_input_tokens") return read_count(cursor, into.cache_creation);
    if (key == "cache_read_input_tokens") return read_count(cursor, into.cache_read);
    if (key == "service_tier" && cursor.peek() == '"') return read_text(cursor, into.service_tier);
    const bool details = key == "output_tokens_details";
    if ((!details && key != "cache_creation") || cursor.peek() != '{') return cursor.skip_value();
    return each_member(cursor, [&](std::string_view member) {
      if (member == "ephemeral_1h_input_tokens") return read_count(cursor, into.cache_1h);
      if (details && (member == "thinking_tokens" || member == "reasoning_tokens")) {
        return read_count(cursor, into.thinking);
      }
      return cursor.skip_value();
    });
  });
}

void encode_usage(Writer& out, const UsageReport& report) {
  const Usage& usage = report.usage;
  out.open_object();
  out.key("input_tokens").integer(usage.uncached);
  out.key("cache_creation_input_tokens").integer(usage.cache_write);
  out.key("cache_read_input_tokens").integer(usage.cache_read);
  out.key("output_tokens").integer(usage.output);
  out.close_object();
}

}  // namespace weir::anthropic
