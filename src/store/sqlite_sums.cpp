#include "store/sqlite_sums.hpp"

#include <algorithm>

namespace weir::store::sqlite {
namespace {

constexpr const char* kAdd = R"sql(
INSERT INTO hours VALUES(?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, failed_calls = failed_calls + excluded.failed_calls,
  client_retries = client_retries + excluded.client_retries, attempts = attempts + excluded.attempts,
  failed_attempts = failed_attempts + excluded.failed_attempts, uncached = uncached + excluded.uncached,
  cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write,
  output = output + excluded.output, reasoning = reasoning + excluded.reasoning,
  messages = messages + excluded.messages, took_us = took_us + excluded.took_us, cost = cost + excluded.cost,
  wasted = wasted + excluded.wasted, price_unknown_calls = price_unknown_calls + excluded.price_unknown_calls,
  saved_exact_cache = saved_exact_cache + excluded.saved_exact_cache,
  saved_semantic_cache = saved_semantic_cache + excluded.saved_semantic_cache,
  saved_coalesced = saved_coalesced + excluded.saved_coalesced,
  saved_compression = saved_compression + excluded.saved_compression,
  saved_routing = saved_routing + excluded.saved_routing,
  saved_provider_cache = saved_provider_cache + excluded.saved_provider_cache,
  saved_batch = saved_batch + excluded.saved_batch)sql";

constexpr const char* kAddTarget = R"sql(
INSERT INTO target_hours VALUES(?,?,?,?,?,?,?,?,?,?)
ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, attempts = attempts + excluded.attempts,
  uncached = uncached + excluded.uncached, cache_read = cache_read + excluded.cache_read,
  cache_write = cache_write + excluded.cache_write, output = output + excluded.output,
  reasoning = reasoning + excluded.reasoning, cost = cost + excluded.cost)sql";

}  // namespace

void Sums::add_call(const CallRow& call, std::span<const AttemptRow> attempts) {
  Sums& sums = *this;
  sums[Sum::calls] += 1;
  sums[Sum::failed_calls] += call.outcome != Outcome::ok ? 1 : 0;
  sums[Sum::client_retries] += call.client_retry > 0 || call.reask ? 1 : 0;
  sums[Sum::messages] += call.messages;
  sums[Sum::took_us] += call.took_us;
  sums[Sum::price_unknown_calls] += std::ranges::any_of(attempts, [](const auto& a) { return !a.price_known; }) ? 1 : 0;
  for (std::size_t i = 0; i < call.saved.by.size(); ++i) {
    of[static_cast<std::size_t>(Sum::saved) + i] += call.saved.by[i].value;
  }
}

void Sums::add_attempt(const AttemptRow& attempt) {
  Sums& sums = *this;
  sums[Sum::attempts] += 1;
  sums[Sum::failed_attempts] += attempt.failure != Failure::none ? 1 : 0;
  sums[Sum::uncached] += attempt.usage.uncached;
  sums[Sum::cache_read] += attempt.usage.cache_read;
  sums[Sum::cache_write] += attempt.usage.cache_write;
  sums[Sum::output] += attempt.usage.output - attempt.usage.reasoning;
  sums[Sum::reasoning] += attempt.usage.reasoning;
  sums[Sum::cost] += attempt.cost.value;
  sums[Sum::wasted] += attempt.wasted ? attempt.cost.value : 0;
}

void TargetSums::add_attempt(const AttemptRow& attempt, bool ended_the_call) {
  calls += ended_the_call ? 1 : 0;
  attempts += 1;
  uncached += attempt.usage.uncached;
  cache_read += attempt.usage.cache_read;
  cache_write += attempt.usage.cache_write;
  output += attempt.usage.output - attempt.usage.reasoning;
  reasoning += attempt.usage.reasoning;
  cost += attempt.cost.value;
}

Result<HourSums> HourSums::prepare(Database& database) {
  HourSums sums;
  auto add = database.prepare(kAdd);
  if (!add) return std::unexpected(add.error());
  sums.add_ = std::move(*add);
  auto add_target = database.prepare(kAddTarget);
  if (!add_target) return std::unexpected(add_target.error());
  sums.add_target_ = std::move(*add_target);
  return sums;
}

Sums& HourSums::at(std::int64_t hour, std::int64_t who, Outcome outcome, Failure failure) {
  return sums_[{hour, who, static_cast<std::int64_t>(outcome) << 8 | static_cast<std::int64_t>(failure)}];
}

TargetSums& HourSums::at_target(std::int64_t hour, std::int64_t target) {
  return target_sums_[{hour, target, 0}];
}

bool HourSums::write() {
  for (const auto& [key, sums] : sums_) {
    add_.bind(0, key.hour);
    add_.bind(1, key.who);
    add_.bind(2, key.ending >> 8);
    add_.bind(3, key.ending & 0xff);
    for (std::size_t i = 0; i < kSums; ++i) add_.bind(static_cast<int>(4 + i), sums.of[i]);
    if (!add_.run()) return false;
  }
  for (const auto& [key, sums] : target_sums_) {
    const std::int64_t values[] = {key.hour,        key.who,          sums.calls,  sums.attempts,  sums.uncached,
                                   sums.cache_read, sums.cache_write, sums.output, sums.reasoning, sums.cost};
    int at = 0;
    for (const std::int64_t value : values) add_target_.bind(at++, value);
    if (!add_target_.run()) return false;
  }
  return true;
}

void HourSums::clear() {
  sums_.clear();
  target_sums_.clear();
}

}  // namespace weir::store::sqlite
