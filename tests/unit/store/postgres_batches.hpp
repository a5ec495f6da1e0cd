#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "store/ledger.hpp"

#include <weir/base/random.hpp>

namespace weir::store {

inline constexpr std::int64_t kStart = 1'750'000'123'456;  // 2025-06-15, T15:08:43, within an hour

/// Calls as they could be, from dice: several tries, failures, savings, users, tags, times spread over `spread_ms`.
inline LedgerBatch random_batch(Random& random, std::size_t calls, std::int64_t start = kStart,
                                std::int64_t spread_ms = 5 * 3'600'000) {
  LedgerBatch batch;
  const auto dice = [&](std::uint64_t sides) { return static_cast<std::int64_t>(random.next() % sides); };
  const auto one_of = [&](std::vector<std::string> texts) { return batch.keep(texts[random.next() % texts.size()]); };
  for (std::size_t i = 0; i < calls; ++i) {
    CallRow call;
    call.started_unix_ms = start + dice(static_cast<std::uint64_t>(spread_ms));
    call.id = CallId::make(call.started_unix_ms, random);
    if (dice(3) == 0) call.request_id = batch.keep(fmt::format("req-{}", random.next()));
    call.took_us = dice(9'000'000);
    call.first_byte_us = dice(4) == 0 ? -1 : dice(1'000'000);
    call.route = one_of({"none", "chat", "cheap"});
    call.task = one_of({"support", "search", "none"});
    call.key = one_of({"none", "web", "batch"});
    call.group = one_of({"none", "shop"});
    if (dice(2) == 0) call.user = one_of({"anna", "bob", "carl"});
    call.tags = one_of({"", "team=red", "env=prod,team=blue", "myteam=x"});
    call.outcome = static_cast<Outcome>(dice(static_cast<std::uint64_t>(Outcome::count_)));
    call.failure = static_cast<Failure>(dice(static_cast<std::uint64_t>(Failure::count_)));
    call.phase = static_cast<Phase>(dice(static_cast<std::uint64_t>(Phase::count_)));
    call.status = static_cast<std::uint16_t>(dice(600));
    call.stream = dice(2) == 0;
    call.raw = dice(9) == 0;
    call.client_retry = static_cast<std::uint32_t>(dice(5) == 0 ? dice(3) : 0);
    call.reask = dice(5) == 0;
    call.messages = static_cast<std::uint32_t>(dice(40));
    call.prompt_bytes = random.next() >> 40;
    call.system_hash = random.next();
    call.prompt_hash = random.next();
    if (dice(4) == 0) call.saved[SavingCause::provider_cache].value = dice(1'000'000) - 300'000;
    if (dice(6) == 0) call.saved[SavingCause::routing].value = dice(1'000'000);
    call.first_attempt = static_cast<std::uint32_t>(batch.attempts.size());
    call.attempts = static_cast<std::uint32_t>(dice(8) == 0 ? dice(4) : 1);
    call.model = "gpt-4o";
    call.provider = "openai";
    for (std::uint32_t n = 0; n < call.attempts; ++n) {
      AttemptRow attempt;
      attempt.provider = one_of({"openai", "azure"});
      attempt.model = one_of({"gpt-4o", "gpt-4o-mini"});
      attempt.reply_model = one_of({"gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"});
      attempt.provider_request_id = batch.keep(fmt::format("req_{:x}", random.next()));
      attempt.key_index = static_cast<std::uint32_t>(dice(3));
      for (std::size_t p = 1; p < attempt.phases_us.size(); ++p)
        attempt.phases_us[p] = dice(3) == 0 ? 0 : dice(100'000);
      attempt.failure = dice(5) == 0 ? Failure::upstream_error : Failure::none;
      attempt.phase = static_cast<Phase>(dice(static_cast<std::uint64_t>(Phase::count_)));
      attempt.status = static_cast<std::uint16_t>(dice(600));
      attempt.usage = {dice(5'000), dice(2'000), dice(100), 0, dice(300), dice(2) == 0, dice(2) == 0};
      attempt.usage.output = attempt.usage.reasoning + dice(900);
      attempt.price_known = dice(9) != 0;
      if (attempt.price_known) {
        attempt.price = {{2'500'000'000}, {10'000'000'000}, {1'250'000'000}, {0}};
        attempt.cost = cost_of(attempt.price, attempt.usage);
      }
      attempt.wasted = attempt.failure != Failure::none;
      attempt.may_have_been_billed = dice(3) == 0;
      attempt.reused_connection = dice(2) == 0;
      batch.attempts.push_back(attempt);
      call.model = attempt.model;
      call.provider = attempt.provider;
    }
    batch.calls.push_back(call);
  }
  return batch;
}

/// What the tag `name` says in "a=b,name=value".
inline std::string tag_of(std::string_view tags, std::string_view name) {
  while (!tags.empty()) {
    const std::string_view part = tags.substr(0, tags.find(','));
    if (part.starts_with(name) && part.substr(name.size()).starts_with("="))
      return std::string(part.substr(name.size() + 1));
    tags.remove_prefix(std::min(tags.size(), part.size() + 1));
  }
  return "";
}

inline std::string label_of(Dimension dimension, const CallRow& call, std::string_view model, std::string_view provider,
                            Failure failure) {
  const std::int64_t hour = call.started_unix_ms / 3'600'000;
  switch (dimension) {
    case Dimension::task:
      return std::string(call.task);
    case Dimension::route:
      return std::string(call.route);
    case Dimension::model:
      return std::string(model);
    case Dimension::provider:
      return std::string(provider);
    case Dimension::key:
      return std::string(call.key);
    case Dimension::group:
      return std::string(call.group);
    case Dimension::outcome:
      return std::string(name_of(call.outcome));
    case Dimension::failure:
      return std::string(name_of(failure));
    case Dimension::user:
      return std::string(call.user);
    case Dimension::tag:
      return tag_of(call.tags, "team");
    case Dimension::hour:
      return fmt::format("2025-06-{:02}T{:02}:00Z", 15 + (hour - 486'096) / 24, (hour - 486'096) % 24);
    default:
      return "?";
  }
}

/// The sums by brute force, by the labels joined with '|'.
inline std::map<std::string, SumRow> brute_sums(const std::vector<const LedgerBatch*>& batches, const SumQuery& query) {
  std::map<std::string, SumRow> sums;
  const auto row = [&](const CallRow& call, std::string_view model, std::string_view provider,
                       Failure failure) -> SumRow& {
    std::string key;
    for (const Dimension dimension : query.by) key += label_of(dimension, call, model, provider, failure) + "|";
    return sums[key];
  };
  for (const LedgerBatch* const batch : batches) {
    for (const CallRow& call : batch->calls) {
      if (call.started_unix_ms < query.since_unix_ms || call.started_unix_ms >= query.until_unix_ms) continue;
      SumRow& ended = row(call, call.model, call.provider, call.failure);
      ended.calls += 1;
      ended.failed_calls += call.outcome != Outcome::ok ? 1 : 0;
      ended.client_retries += call.client_retry > 0 || call.reask ? 1 : 0;
      ended.messages += call.messages;
      ended.took_us += call.took_us;
      for (std::size_t i = 0; i < call.saved.by.size(); ++i) ended.saved.by[i] = ended.saved.by[i] + call.saved.by[i];
      bool unknown = false;
      for (const AttemptRow& attempt : batch->attempts_of(call)) {
        SumRow& there = row(call, attempt.model, attempt.provider, attempt.failure);
        there.attempts += 1;
        there.failed_attempts += attempt.failure != Failure::none ? 1 : 0;
        there.uncached += attempt.usage.uncached;
        there.cache_read += attempt.usage.cache_read;
        there.cache_write += attempt.usage.cache_write;
        there.output += attempt.usage.output - attempt.usage.reasoning;
        there.reasoning += attempt.usage.reasoning;
        there.cost = there.cost + attempt.cost;
        if (attempt.wasted) there.wasted = there.wasted + attempt.cost;
        unknown = unknown || !attempt.price_known;
      }
      row(call, call.model, call.provider, call.failure).price_unknown_calls += unknown ? 1 : 0;
    }
  }
  return sums;
}

inline std::string text_of(const SumRow& row) {
  std::string text = fmt::format(
      "calls {} failed {} retries {} attempts {} failed {} tokens {} {} {} {} {} messages {} took {} "
      "cost {} wasted {} unknown {} saved",
      row.calls, row.failed_calls, row.client_retries, row.attempts, row.failed_attempts, row.uncached, row.cache_read,
      row.cache_write, row.output, row.reasoning, row.messages, row.took_us, row.cost.value, row.wasted.value,
      row.price_unknown_calls);
  for (const NanoDollars saved : row.saved.by) text += fmt::format(" {}", saved.value);
  return text;
}

/// All of a call with its tries, as text, to compare what was written with what is read.
inline std::string text_of(const LedgerBatch& batch, const CallRow& call) {
  std::string text = fmt::format(
      "{} q={} t={} d={} f={} {}/{}/{}/{}/{}/{} u={} x={} {} {} {} {} {}{} {} {} {} {} {:x} {:x} texts {} {} {} saved",
      call.id.text(), call.request_id, call.started_unix_ms, call.took_us, call.first_byte_us, call.route, call.task,
      call.model, call.provider, call.key, call.group, call.user, call.tags, name_of(call.outcome),
      name_of(call.failure), name_of(call.phase), call.status, call.stream, call.raw, call.client_retry, call.reask,
      call.messages, call.prompt_bytes, call.system_hash, call.prompt_hash, call.request_text, call.reply_text,
      call.text_until_unix_ms);
  for (const NanoDollars saved : call.saved.by) text += fmt::format(" {}", saved.value);
  for (const AttemptRow& a : batch.attempts_of(call)) {
    text += fmt::format("\n  {} {} {} {} {} {} {} {} [{} {} {} {} {} {}{}] {} [{} {} {} {}] {}{}{}{}", a.provider,
                        a.model, a.reply_model, a.provider_request_id, a.key_index, name_of(a.failure),
                        name_of(a.phase), a.status, a.usage.uncached, a.usage.cache_read, a.usage.cache_write,
                        a.usage.output, a.usage.reasoning, a.usage.reported, a.usage.estimated, a.cost.value,
                        a.price.input.value, a.price.output.value, a.price.cache_read.value, a.price.cache_write.value,
                        a.price_known, a.wasted, a.may_have_been_billed, a.reused_connection);
    for (const std::int64_t us : a.phases_us) text += fmt::format(" {}", us);
  }
  return text;
}

}  // namespace weir::store
