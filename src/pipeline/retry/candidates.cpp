#include "pipeline/retry/candidates.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <weir/exchange/limits.hpp>
#include "targets/place.hpp"

namespace weir::pipeline {
namespace {

/// A failure of the key, which another key of the same place need not share.
bool of_key(Failure failure) {
  const Bench bench = row_of(failure).bench;
  return bench == Bench::key || failure == Failure::limit_rate;
}

bool names(const std::vector<std::string>& zones, std::string_view zone) {
  return !zone.empty() && std::ranges::find(zones, zone) != zones.end();
}

bool full(const Target& target) {
  return target.place != nullptr && target.place->full(target.max_in_flight);
}

}  // namespace

bool Candidates::allowed(const Target& target) const {
  if (exchange_.plan.zones != nullptr && !names(*exchange_.plan.zones, target.zone)) return false;
  const Caller* caller = exchange_.caller;
  return caller == nullptr || caller->zones.empty() || names(caller->zones, target.zone);
}

bool Candidates::any_allowed() const {
  return std::ranges::any_of(steps_, [&](const PlanStep& step) {
    return std::ranges::any_of(step.places, [&](const Target& target) { return allowed(target); });
  });
}

bool Candidates::untried(const Target& target) const {
  return std::ranges::none_of(exchange_.attempts, [&](const Attempt& attempt) {
    return attempt.target == &target && !of_key(attempt.failure);
  });
}

bool Candidates::untried(const Target& target, std::uint32_t key) const {
  return std::ranges::none_of(exchange_.attempts, [&](const Attempt& attempt) {
    return attempt.target == &target && attempt.key_index == key;
  });
}

bool Candidates::in_question(const Target& target, std::int64_t larger_than) const {
  return allowed(target) && (larger_than == 0 || target.context > larger_than) && untried(target) && !full(target);
}

std::optional<Candidates::Choice> Candidates::healthy(const PlanStep& step, const Target& target, TimePoint now,
                                                      std::int64_t larger_than) const {
  if (!in_question(target, larger_than)) return std::nullopt;
  if (target.place == nullptr) return untried(target, 0) ? std::optional{Choice{&target, 0}} : std::nullopt;
  const bool fresh = exchange_.attempts.empty();
  const auto key = target.place->next_key(
      now, [&](std::size_t index) { return fresh || untried(target, static_cast<std::uint32_t>(index)); });
  if (!key) return std::nullopt;
  return Choice{&target, static_cast<std::uint32_t>(*key), step.fill == Fill::latency};
}

std::optional<Candidates::Choice> Candidates::pick(const PlanStep& step, TimePoint now, std::uint64_t dice,
                                                   std::int64_t larger_than) const {
  if (step.fill == Fill::first) {
    for (const Target& target : step.places) {
      if (auto choice = healthy(step, target, now, larger_than)) return choice;
    }
    return std::nullopt;
  }
  std::array<Choice, limits::plan_places_max> open;
  std::size_t count = 0;
  for (const Target& target : step.places) {
    if (count == open.size()) break;
    if (const auto choice = healthy(step, target, now, larger_than)) open[count++] = *choice;
  }
  if (count == 0) return std::nullopt;
  if (step.fill == Fill::weight) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += open[i].target->weight;
    if (sum == 0) return open[dice % count];
    std::uint64_t at = dice % sum;
    for (std::size_t i = 0; i < count; ++i) {
      if (at < open[i].target->weight) return open[i];
      at -= open[i].target->weight;
    }
  }
  // Two at random, the one of less expected time: as good as the best one, without all calls running to it at once.
  const std::size_t one = dice % count;
  const std::size_t other = count == 1 ? 0 : (one + 1 + (dice >> 32) % (count - 1)) % count;
  const auto load = [&](const Choice& choice) {
    return choice.target->place != nullptr ? choice.target->place->load(now) : 0;
  };
  return load(open[other]) < load(open[one]) ? open[other] : open[one];
}

std::optional<Candidates::Choice> Candidates::least_bad(std::int64_t larger_than) const {
  std::optional<Choice> best;
  TimePoint best_at{};
  for (const PlanStep& step : steps_) {
    for (const Target& target : step.places) {
      if (!in_question(target, larger_than)) continue;
      const std::size_t keys = target.place != nullptr ? target.place->keys() : 1;
      for (std::uint32_t key = 0; key < keys; ++key) {
        if (!untried(target, key)) continue;
        const TimePoint at = target.place != nullptr ? target.place->back_at(key) : TimePoint{};
        if (best && at >= best_at) continue;
        best = Choice{&target, key, step.fill == Fill::latency};
        best_at = at;
      }
    }
  }
  return best;
}

std::optional<Candidates::Choice> Candidates::next(TimePoint now, std::uint64_t dice, std::int64_t larger_than) const {
  for (const PlanStep& step : steps_) {
    if (auto choice = pick(step, now, dice, larger_than)) return choice;
  }
  return least_bad(larger_than);
}

}  // namespace weir::pipeline
