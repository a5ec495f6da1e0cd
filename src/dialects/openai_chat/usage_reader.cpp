#include "dialects/openai_chat/usage_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace weir::openai_chat {
namespace {

/// No reply has a trillion tokens; and such a count times a price still fits the money.
constexpr std::int64_t kTokensMax = 1LL << 40;

struct Counts {
  std::optional<std::int64_t> prompt, completion, total, cache_read, cache_write, cache_hit, cache_miss, reasoning;
  bool nonsense = false;
};

bool read_count(json::Cursor& cursor, Counts& counts, std::optional<std::int64_t>& into) {
  const char first = cursor.peek();
  if (first != '-' && static_cast<unsigned>(first - '0') > 9) return cursor.skip_value();
  json::Number number;
  if (!cursor.read_number(number)) return false;
  const char* const end = number.raw.data() + number.raw.size();
  std::int64_t value = -1;
  if (!number.integer) {  // some servers count in doubles
    double counted = -1;
    std::from_chars(number.raw.data(), end, counted);
    if (counted >= 0 && counted <= static_cast<double>(kTokensMax)) value = static_cast<std::int64_t>(counted);
  } else if (std::from_chars(number.raw.data(), end, value).ec != std::errc{}) {
    value = -1;
  }
  if (value >= 0 && value <= kTokensMax) {
    into = value;
  } else {
    counts.nonsense = true;
  }
  return true;
}

bool read_details(json::Cursor& cursor, Counts& counts) {
  if (cursor.peek() != '{') return cursor.skip_value();
  return cursor.read_object([&](const json::String& key, std::size_t) {
    const std::string_view name = key.raw;
    if (name == "cached_tokens") return read_count(cursor, counts, counts.cache_read);
    if (name == "cache_write_tokens" || name == "cache_creation_tokens") {
      return read_count(cursor, counts, counts.cache_write);
    }
    if (name == "reasoning_tokens") return read_count(cursor, counts, counts.reasoning);
    return cursor.skip_value();
  });
}

Usage usage_of(const Counts& counts) {
  Usage usage;
  std::optional<std::int64_t> prompt = counts.prompt;
  if (!prompt && counts.cache_hit && counts.cache_miss) prompt = *counts.cache_hit + *counts.cache_miss;
  if (counts.nonsense || (!prompt && !counts.completion)) return usage;
  usage.reported = true;
  usage.cache_read =
      std::min(counts.cache_read ? *counts.cache_read : counts.cache_hit.value_or(0), prompt.value_or(0));
  usage.cache_write = std::min(counts.cache_write.value_or(0), prompt.value_or(0) - usage.cache_read);
  usage.uncached = prompt.value_or(0) - usage.cache_read - usage.cache_write;
  const std::int64_t completion = counts.completion.value_or(0);
  const std::int64_t left_out = std::max<std::int64_t>(counts.total.value_or(0) - prompt.value_or(0) - completion, 0);
  usage.output = completion + left_out;
  usage.reasoning = std::min(std::max(counts.reasoning.value_or(0), left_out), usage.output);
  return usage;
}

}  // namespace

bool read_usage(json::Cursor& cursor, Usage& into) {
  Counts counts;
  const bool read = cursor.read_object([&](const json::String& key, std::size_t) {
    const std::string_view name = key.raw;
    if (name == "prompt_tokens" || name == "input_tokens") return read_count(cursor, counts, counts.prompt);
    if (name == "completion_tokens" || name == "output_tokens") return read_count(cursor, counts, counts.completion);
    if (name == "total_tokens") return read_count(cursor, counts, counts.total);
    if (name == "prompt_cache_hit_tokens") return read_count(cursor, counts, counts.cache_hit);
    if (name == "prompt_cache_miss_tokens") return read_count(cursor, counts, counts.cache_miss);
    if (name.ends_with("_tokens_details")) return read_details(cursor, counts);
    return cursor.skip_value();
  });
  if (!read) return false;
  into = usage_of(counts);
  return true;
}

}  // namespace weir::openai_chat
