#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "accounting/moment.hpp"
#include "store/ledger.hpp"

namespace weir::accounting {

/// A ledger in memory: sums calls as store/ledger.hpp says. Texts of the rows are literals or outlive it.
class FakeLedger final : public store::LedgerReader {
 public:
  struct Booked {
    store::CallRow call;
    std::vector<store::AttemptRow> attempts;
  };
  std::vector<Booked> calls;
  std::string broken;  ///< said instead of every answer

  Booked& book(store::CallRow call, std::vector<store::AttemptRow> attempts) {
    return calls.emplace_back(Booked{call, std::move(attempts)});
  }

  Result<std::vector<store::SumRow>> sums(const store::SumQuery& query) override {
    if (!broken.empty()) return failure(broken);
    std::map<std::vector<std::string>, store::SumRow> found;
    if (query.by.empty()) found[{}];
    for (const Booked& booked : calls) {
      if (!within(booked, query.since_unix_ms, query.until_unix_ms)) continue;
      store::SumRow& ended = found[values(query, booked, booked.call.model, booked.call.provider)];
      ended.calls += 1;
      ended.failed_calls += booked.call.outcome == Outcome::ok ? 0 : 1;
      ended.client_retries += booked.call.client_retry > 0 ? 1 : 0;
      ended.messages += booked.call.messages;
      ended.took_us += booked.call.took_us;
      for (std::size_t i = 0; i < ended.saved.by.size(); ++i) {
        ended.saved.by[i] = ended.saved.by[i] + booked.call.saved.by[i];
      }
      bool known = true;
      for (const store::AttemptRow& attempt : booked.attempts) {
        known = known && attempt.price_known;
        store::SumRow& row = found[values(query, booked, attempt.model, attempt.provider)];
        row.attempts += 1;
        row.failed_attempts += attempt.failure == Failure::none ? 0 : 1;
        add_tokens(row, attempt.usage);
        row.cost = row.cost + attempt.cost;
        if (attempt.wasted) row.wasted = row.wasted + attempt.cost;
      }
      ended.price_unknown_calls += known ? 0 : 1;
    }
    std::vector<store::SumRow> rows;
    for (auto& [by, row] : found) {
      row.by = by;
      rows.push_back(row);
    }
    std::ranges::sort(rows, std::greater{}, [](const store::SumRow& row) { return row.cost.value; });
    return rows;
  }

  Result<std::vector<store::ModelUse>> model_uses(std::int64_t since, std::int64_t until) override {
    if (!broken.empty()) return failure(broken);
    std::map<std::tuple<std::string, std::string, std::string, std::int64_t, bool>, store::ModelUse> found;
    for (const Booked& booked : calls) {
      if (!within(booked, since, until)) continue;
      for (const store::AttemptRow& attempt : booked.attempts) {
        store::ModelUse& use =
            found[{std::string{attempt.model}, std::string{attempt.provider}, std::string{attempt.reply_model},
                   attempt.price.input.value, attempt.price_known}];
        use.model = attempt.model;
        use.provider = attempt.provider;
        use.reply_model = attempt.reply_model;
        use.price = attempt.price;
        use.price_known = attempt.price_known;
        use.attempts += 1;
        use.calls += &attempt == &booked.attempts.back() ? 1 : 0;
        add_tokens(use, attempt.usage);
        use.cost = use.cost + attempt.cost;
      }
    }
    std::vector<store::ModelUse> uses;
    for (auto& [key, use] : found) uses.push_back(use);
    return uses;
  }

  Result<store::Period> period(std::int64_t since, std::int64_t until) override {
    auto uses = model_uses(since, until);
    if (!uses) return std::unexpected(uses.error());
    store::Period period;
    period.models = std::move(*uses);
    std::set<std::string_view> users;
    for (const Booked& booked : calls) {
      if (!within(booked, since, until)) continue;
      users.insert(booked.call.user);
      period.calls += 1;
      period.attempts += static_cast<std::int64_t>(booked.attempts.size());
      period.client_retries += booked.call.client_retry > 0 ? 1 : 0;
      period.messages += booked.call.messages;
    }
    period.users = static_cast<std::int64_t>(users.size());
    return period;
  }

  Result<store::LedgerBatch> find_calls(std::string_view id, std::int64_t since, std::size_t calls_max) override {
    return batch(calls_max, [&](const store::CallRow& call) {
      return call.id.text() == id || (call.request_id == id && call.started_unix_ms >= since);
    });
  }

  Result<store::LedgerBatch> recent_calls(std::size_t calls_max) override {
    return batch(calls_max, [](const store::CallRow&) { return true; });
  }

 private:
  template <class Row>
  static void add_tokens(Row& row, const Usage& usage) {
    row.uncached += usage.uncached;
    row.cache_read += usage.cache_read;
    row.cache_write += usage.cache_write;
    row.output += usage.output - usage.reasoning;
    row.reasoning += usage.reasoning;
  }
  static bool within(const Booked& booked, std::int64_t since, std::int64_t until) {
    return booked.call.started_unix_ms >= since && booked.call.started_unix_ms < until;
  }
  static std::string value(store::Dimension dimension, const store::SumQuery& query, const store::CallRow& call,
                           std::string_view model, std::string_view provider) {
    using store::Dimension;
    const std::int64_t started = call.started_unix_ms;
    switch (dimension) {
      case Dimension::task:
        return std::string{call.task};
      case Dimension::route:
        return std::string{call.route};
      case Dimension::model:
        return std::string{model};
      case Dimension::provider:
        return std::string{provider};
      case Dimension::key:
        return std::string{call.key};
      case Dimension::group:
        return std::string{call.group};
      case Dimension::outcome:
        return std::string{name_of(call.outcome)};
      case Dimension::failure:
        return std::string{name_of(call.failure)};
      case Dimension::hour:
        return moment_text(started / 3'600'000 * 3'600'000).substr(0, 16) + "Z";
      case Dimension::day:
        return date_text(started);
      case Dimension::week:
        return date_text(week_start(started));
      case Dimension::user:
        return std::string{call.user};
      case Dimension::tag:
        break;
    }
    const std::string wanted = query.tag + "=";
    std::string_view tags = call.tags;
    while (!tags.empty()) {
      const std::string_view tag = tags.substr(0, tags.find(','));
      if (tag.starts_with(wanted)) return std::string{tag.substr(wanted.size())};
      tags.remove_prefix(std::min(tags.size(), tag.size() + 1));
    }
    return "none";
  }
  static std::vector<std::string> values(const store::SumQuery& query, const Booked& booked, std::string_view model,
                                         std::string_view provider) {
    std::vector<std::string> found;
    for (const store::Dimension dimension : query.by) {
      found.push_back(value(dimension, query, booked.call, model, provider));
    }
    return found;
  }
  template <class Wanted>
  Result<store::LedgerBatch> batch(std::size_t calls_max, Wanted wanted) const {
    if (!broken.empty()) return failure(broken);
    store::LedgerBatch batch;
    for (auto booked = calls.rbegin(); booked != calls.rend() && batch.calls.size() < calls_max; ++booked) {
      if (!wanted(booked->call)) continue;
      store::CallRow call = booked->call;
      call.first_attempt = static_cast<std::uint32_t>(batch.attempts.size());
      call.attempts = static_cast<std::uint32_t>(booked->attempts.size());
      batch.calls.push_back(call);
      batch.attempts.insert(batch.attempts.end(), booked->attempts.begin(), booked->attempts.end());
    }
    return batch;
  }
};

// Rows as tests want them.

inline Price price_of_thousandths(std::int64_t input, std::int64_t output) {
  return {{input * 1'000'000}, {output * 1'000'000}, {input * 100'000}, {input * 1'250'000}};
}
inline const Price kMini = price_of_thousandths(150, 600);
inline const Price kLarge = price_of_thousandths(2'500, 10'000);

inline store::AttemptRow attempt_of(std::string_view model, const Price& price, Usage usage) {
  store::AttemptRow attempt;
  attempt.provider = "openai";
  attempt.model = model;
  attempt.reply_model = model;
  attempt.status = 200;
  attempt.usage = usage;
  attempt.usage.reported = true;
  attempt.price = price;
  attempt.price_known = true;
  attempt.may_have_been_billed = true;
  attempt.cost = cost_of(price, usage);
  return attempt;
}

inline Usage tokens_of(std::int64_t uncached, std::int64_t cache_read, std::int64_t output,
                       std::int64_t reasoning = 0) {
  Usage usage;
  usage.uncached = uncached;
  usage.cache_read = cache_read;
  usage.output = output;
  usage.reasoning = reasoning;
  return usage;
}

inline store::CallRow call_of(std::int64_t started_unix_ms, std::string_view task, std::string_view model) {
  store::CallRow call;
  call.started_unix_ms = started_unix_ms;
  call.route = "none";
  call.task = task;
  call.model = model;
  call.provider = "openai";
  call.key = "none";
  call.group = "none";
  call.status = 200;
  call.took_us = 800'000;
  return call;
}

}  // namespace weir::accounting
