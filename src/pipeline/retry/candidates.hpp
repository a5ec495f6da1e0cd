#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include <weir/exchange/exchange.hpp>
#include <weir/exchange/plan.hpp>

namespace weir::pipeline {

/// The places that one call may go to, and which comes next. Tried ones are known from the exchange's attempts.
///
/// Health only orders: while a healthy place is left the others wait, but a call never fails because of a guess of
/// weir's own. Zones and max_in_flight are hard. Sans-io: time and dice are given. Lifetime: one call.
class Candidates {
 public:
  struct Choice {
    const Target* target = nullptr;
    std::uint32_t key = 0;
    bool measured = false;  ///< its time is wanted: the places of its model are filled by latency
  };

  Candidates(const Exchange& exchange, std::span<const PlanStep> steps) : exchange_(exchange), steps_(steps) {}

  /// The first place, or after a failure the next that was not tried; nullopt = none is left.
  /// `larger_than`: only places with a larger window (of known size), in tokens; 0 = any.
  std::optional<Choice> next(TimePoint now, std::uint64_t dice, std::int64_t larger_than = 0) const;

  /// Why next() had none before any attempt: no place is in an allowed zone, or all are full.
  bool any_allowed() const;

 private:
  bool allowed(const Target& target) const;
  bool in_question(const Target& target, std::int64_t larger_than) const;
  bool untried(const Target& target) const;
  bool untried(const Target& target, std::uint32_t key) const;
  std::optional<Choice> healthy(const PlanStep& step, const Target& target, TimePoint now,
                                std::int64_t larger_than) const;
  std::optional<Choice> pick(const PlanStep& step, TimePoint now, std::uint64_t dice, std::int64_t larger_than) const;
  std::optional<Choice> least_bad(std::int64_t larger_than) const;

  const Exchange& exchange_;
  std::span<const PlanStep> steps_;
};

}  // namespace weir::pipeline
