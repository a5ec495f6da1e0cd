#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "fakes/ledger_rows.hpp"
#include "store/ledger.hpp"

/// A SQLite ledger with calls of twenty days, and their sums counted the slow way.
namespace weir::store {

using fakes::Folder;
using fakes::LedgerRows;

inline constexpr std::int64_t kHour = 3'600'000;
inline constexpr std::int64_t kBegin = 1'763'701'200'000;  // 2025-11-21T05:00Z, a Friday

inline std::unique_ptr<LedgerStore> open_store(const std::string& path, std::uint64_t instance = 1) {
  auto store = open_sqlite_ledger(path, instance);
  EXPECT_TRUE(store) << (store ? "" : store.error().message);
  return store ? std::move(*store) : nullptr;
}

inline std::unique_ptr<LedgerReader> open_reader(const std::string& path) {
  auto reader = open_sqlite_reader(path);
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
  return reader ? std::move(*reader) : nullptr;
}

inline LedgerBatch random_batch(LedgerRows& rows, int calls, std::int64_t begin = kBegin,
                                std::int64_t span = 20 * 24 * kHour) {
  LedgerBatch batch;
  for (int i = 0; i < calls; ++i) rows.add_call(batch, begin + rows.below(span));
  return batch;
}

/// What the contract of SumRow says, counted the slow way.
inline std::vector<SumRow> brute_force(const LedgerBatch& batch, const SumQuery& query) {
  std::map<std::vector<std::string>, SumRow> sums;
  const auto values = [&](const CallRow& call, std::string_view model, std::string_view provider, Failure failure) {
    std::vector<std::string> by;
    const std::int64_t hour = call.started_unix_ms / kHour;
    const auto date = [](std::int64_t day) {
      const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{day}}};
      char text[16];
      std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day()));
      return std::string(text);
    };
    for (const Dimension dimension : query.by) {
      std::string value;
      if (dimension == Dimension::task) value = call.task;
      if (dimension == Dimension::route) value = call.route;
      if (dimension == Dimension::model) value = model;
      if (dimension == Dimension::provider) value = provider;
      if (dimension == Dimension::key) value = call.key;
      if (dimension == Dimension::group) value = call.group;
      if (dimension == Dimension::outcome) value = name_of(call.outcome);
      if (dimension == Dimension::failure) value = name_of(failure);
      if (dimension == Dimension::hour) {
        value = date(hour / 24) + "T" + (hour % 24 < 10 ? "0" : "") + std::to_string(hour % 24) + ":00Z";
      }
      if (dimension == Dimension::day) value = date(hour / 24);
      if (dimension == Dimension::week) {
        const std::chrono::weekday day{std::chrono::sys_days{std::chrono::days{hour / 24}}};
        value = date(hour / 24 - (day.iso_encoding() - 1));
      }
      if (dimension == Dimension::user) value = call.user.empty() ? "none" : std::string(call.user);
      if (dimension == Dimension::tag) {
        const std::size_t at = call.tags.find(query.tag + "=");
        value = at == std::string_view::npos ? "none" : call.tags.substr(at + query.tag.size() + 1);
        value = value.substr(0, value.find(','));
      }
      by.push_back(value);
    }
    SumRow& row = sums[by];
    row.by = by;
    return &row;
  };
  for (const CallRow& call : batch.calls) {
    if (call.started_unix_ms < query.since_unix_ms || call.started_unix_ms >= query.until_unix_ms) continue;
    SumRow& row = *values(call, call.model, call.provider, call.failure);
    row.calls += 1;
    row.failed_calls += call.outcome != Outcome::ok;
    row.client_retries += call.client_retry > 0 || call.reask;
    row.messages += call.messages;
    row.took_us += call.took_us;
    for (std::size_t i = 0; i < row.saved.by.size(); ++i) row.saved.by[i] = row.saved.by[i] + call.saved.by[i];
    bool unknown = false;
    for (const AttemptRow& attempt : batch.attempts_of(call)) {
      unknown |= !attempt.price_known;
      SumRow& at = *values(call, attempt.model, attempt.provider, attempt.failure);
      at.attempts += 1;
      at.failed_attempts += attempt.failure != Failure::none;
      at.uncached += attempt.usage.uncached;
      at.cache_read += attempt.usage.cache_read;
      at.cache_write += attempt.usage.cache_write;
      at.output += attempt.usage.output - attempt.usage.reasoning;
      at.reasoning += attempt.usage.reasoning;
      at.cost = at.cost + attempt.cost;
      if (attempt.wasted) at.wasted = at.wasted + attempt.cost;
    }
    values(call, call.model, call.provider, call.failure)->price_unknown_calls += unknown;
  }
  std::vector<SumRow> out;
  for (auto& [by, row] : sums) out.push_back(row);
  return out;
}

inline auto figures(const SumRow& row) {
  return std::tie(row.by, row.calls, row.failed_calls, row.client_retries, row.attempts, row.failed_attempts,
                  row.uncached, row.cache_read, row.cache_write, row.output, row.reasoning, row.messages, row.took_us,
                  row.cost, row.wasted, row.saved.by, row.price_unknown_calls);
}

class SqliteSums : public testing::Test {
 protected:
  void SetUp() override {
    store_ = open_store(folder_.file());
    for (int i = 0; i < 10; ++i) {
      for (LedgerBatch part = random_batch(rows_, 200); const CallRow& call : part.calls) {
        const auto first = static_cast<std::uint32_t>(all_.attempts.size());
        for (const AttemptRow& attempt : part.attempts_of(call)) all_.attempts.push_back(attempt);
        all_.calls.push_back(call);
        all_.calls.back().first_attempt = first;
        if (&call == &part.calls.back()) {
          ASSERT_TRUE(store_->append(part));
          parts_.push_back(std::move(part));
          break;
        }
      }
    }
    reader_ = open_reader(folder_.file());
  }

  void expect_sums(const SumQuery& query) {
    auto sums = reader_->sums(query);
    ASSERT_TRUE(sums) << sums.error().message;
    for (std::size_t i = 1; i < sums->size(); ++i) EXPECT_GE((*sums)[i - 1].cost.value, (*sums)[i].cost.value);
    std::ranges::sort(*sums, {}, &SumRow::by);
    const std::vector<SumRow> expected = brute_force(all_, query);
    ASSERT_EQ(sums->size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(figures((*sums)[i]), figures(expected[i]));
  }

  Folder folder_;
  LedgerRows rows_{3};
  std::vector<LedgerBatch> parts_;  // hold the texts of all_
  LedgerBatch all_;
  std::unique_ptr<LedgerStore> store_;
  std::unique_ptr<LedgerReader> reader_;
};

}  // namespace weir::store
