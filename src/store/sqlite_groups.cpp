#include "store/sqlite_groups.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace weir::store::sqlite {
namespace {

std::tm utc(std::int64_t hour) {
  const std::time_t seconds = hour * 3600;
  std::tm when{};
  gmtime_r(&seconds, &when);
  return when;
}

}  // namespace

std::string outcome_text(std::int64_t value) {
  return std::string(value < static_cast<int>(Outcome::count_) ? name_of(static_cast<Outcome>(value)) : "other");
}

std::string failure_text(std::int64_t value) {
  return std::string(value < static_cast<int>(Failure::count_) ? name_of(static_cast<Failure>(value)) : "other");
}

std::string hour_text(std::int64_t hour) {
  return fmt::format("{}T{:02}:00Z", day_text(hour), hour % 24);
}

std::string day_text(std::int64_t hour) {
  const std::tm when = utc(hour);
  return fmt::format("{:04}-{:02}-{:02}", when.tm_year + 1900, when.tm_mon + 1, when.tm_mday);
}

std::string week_text(std::int64_t hour) {
  const std::int64_t day = hour / 24;
  return day_text((day - (day + 3) % 7) * 24);  // 1970-01-01 was a Thursday
}

std::string_view tag_of(std::string_view tags, std::string_view name) {
  while (!tags.empty()) {
    const std::string_view pair = tags.substr(0, tags.find(','));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
    tags.remove_prefix(std::min(pair.size() + 1, tags.size()));
  }
  return "none";
}

std::vector<std::string> Groups::values(const CallRow& call, std::int64_t hour, std::string_view model,
                                        std::string_view provider, Failure failure) const {
  std::vector<std::string> by;
  for (const Dimension dimension : query_.by) {
    switch (dimension) {
      case Dimension::task:
        by.emplace_back(call.task);
        break;
      case Dimension::route:
        by.emplace_back(call.route);
        break;
      case Dimension::model:
        by.emplace_back(model);
        break;
      case Dimension::provider:
        by.emplace_back(provider);
        break;
      case Dimension::key:
        by.emplace_back(call.key);
        break;
      case Dimension::group:
        by.emplace_back(call.group);
        break;
      case Dimension::outcome:
        by.emplace_back(name_of(call.outcome));
        break;
      case Dimension::failure:
        by.emplace_back(name_of(failure));
        break;
      case Dimension::hour:
        by.push_back(hour_text(hour));
        break;
      case Dimension::day:
        by.push_back(day_text(hour));
        break;
      case Dimension::week:
        by.push_back(week_text(hour));
        break;
      case Dimension::user:
        by.emplace_back(call.user.empty() ? std::string_view{"none"} : call.user);
        break;
      case Dimension::tag:
        by.emplace_back(tag_of(call.tags, query_.tag));
        break;
    }
  }
  return by;
}

void Groups::add(const LedgerBatch& batch, const CallRow& call, std::int64_t hour) {
  const auto attempts = batch.attempts_of(call);
  at(values(call, hour, call.model, call.provider, call.failure)).add_call(call, attempts);
  for (const AttemptRow& attempt : attempts) {
    at(values(call, hour, attempt.model, attempt.provider, attempt.failure)).add_attempt(attempt);
  }
}

std::vector<SumRow> Groups::rows() const {
  std::vector<SumRow> rows;
  for (const auto& [by, kept] : sums_) {
    Sums sums = kept;
    SumRow& row = rows.emplace_back();
    row.by = by;
    row.calls = sums[Sum::calls];
    row.failed_calls = sums[Sum::failed_calls];
    row.client_retries = sums[Sum::client_retries];
    row.attempts = sums[Sum::attempts];
    row.failed_attempts = sums[Sum::failed_attempts];
    row.uncached = sums[Sum::uncached];
    row.cache_read = sums[Sum::cache_read];
    row.cache_write = sums[Sum::cache_write];
    row.output = sums[Sum::output];
    row.reasoning = sums[Sum::reasoning];
    row.messages = sums[Sum::messages];
    row.took_us = sums[Sum::took_us];
    row.cost = {sums[Sum::cost]};
    row.wasted = {sums[Sum::wasted]};
    row.price_unknown_calls = sums[Sum::price_unknown_calls];
    for (std::size_t i = 0; i < row.saved.by.size(); ++i) {
      row.saved.by[i] = {sums.of[static_cast<std::size_t>(Sum::saved) + i]};
    }
  }
  if (rows.empty() && query_.by.empty()) rows.emplace_back();
  std::ranges::sort(rows, [](const SumRow& a, const SumRow& b) {
    return a.cost.value != b.cost.value ? a.cost.value > b.cost.value : a.by < b.by;
  });
  return rows;
}

}  // namespace weir::store::sqlite
