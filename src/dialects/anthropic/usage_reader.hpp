#pragma once
#include <cstdint>
#include <optional>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/reply.hpp"
#include "dialects/vocabulary/write.hpp"

namespace weir::anthropic {

/// Anthropic's counters of one answer. A stream says them cumulatively: each that is said replaces the one before, none
/// is ever added (SEMANTICS 4).
struct UsageCounters {
  std::optional<std::int64_t> input, cache_creation, cache_read, output, cache_1h, thinking;
  vocabulary::Text service_tier;

  /// `input_tokens` leaves the cache out: OpenAI's prompt is input + cache_creation + cache_read.
  vocabulary::UsageReport report() const;
};

/// Requires: the cursor is before a `usage` object or null. Counters that cannot be meant are left as they were.
bool read_usage(json::Cursor& cursor, UsageCounters& into);

/// The value of `usage`.
void encode_usage(vocabulary::Writer& out, const vocabulary::UsageReport& report);

}  // namespace weir::anthropic
