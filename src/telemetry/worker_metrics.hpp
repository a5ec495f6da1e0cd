#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <weir/exchange/exchange.hpp>
#include "telemetry/counter.hpp"
#include "telemetry/series_budget.hpp"
#include "telemetry/settings.hpp"
#include "telemetry/slot_table.hpp"

namespace weir::telemetry {

/// RULINGS 7; the order is that of the label values below.
enum class TokenKind : std::uint8_t { uncached, cache_read, cache_write, output, reasoning, count_ };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(TokenKind::count_)> kTokenKindNames{
    "uncached", "cache_read", "cache_write", "output", "reasoning"};

struct TimeCounters {
  Histogram<kRequestBounds> request;
  Histogram<kFirstTokenBounds> first_token;
};

struct PhaseCounters {
  std::array<Histogram<kPhaseBounds>, static_cast<std::size_t>(Phase::count_)> phases;
};

/// One attempt's way to end at one place.
struct AttemptCounters {
  Counter attempts;
  Counter price_unknown;
  Counter unknown_events;
};

struct DroppedCounters {
  Counter calls;
};

struct CallCounters {
  std::array<Counter, static_cast<std::size_t>(Outcome::count_)> outcomes;
  std::array<Counter, static_cast<std::size_t>(TokenKind::count_)> tokens;
  Counter served_nano_dollars;
  Counter wasted_nano_dollars;
  std::array<Counter, static_cast<std::size_t>(SavingCause::count_)> saved_nano_dollars;
  std::array<Counter, static_cast<std::size_t>(SavingCause::count_)> extra_nano_dollars;  ///< where it cost more
  Counter reasks;             ///< calls that ask again because of an answer's form
  Counter retries_of_client;  ///< calls that the client's SDK said to be repeated ones
  Counter json_repaired;
  Counter retries_of_weir;  ///< attempts after a call's first
  // What the same labels lead to, so that a warmed call is one look-up. The worker's own; a scrape does not follow
  // them.
  TimeCounters* times = nullptr;
  PhaseCounters* phases = nullptr;
  AttemptCounters* success = nullptr;
};

/// What one worker counts. Labels are found through tables of this worker's, so a counted call takes no lock and, once
/// its slot exists, no allocation.
///
/// Thread: the worker's, but for the tables' for_each() and Counter::read(), which a scrape may use at any time.
class WorkerMetrics {
 public:
  using Calls = SlotTable<6, CallCounters>;        ///< route, task, model, provider; group and key, else empty
  using Times = SlotTable<3, TimeCounters>;        ///< route, task, provider
  using Attempts = SlotTable<4, AttemptCounters>;  ///< provider, model, failure, phase
  using Phases = SlotTable<1, PhaseCounters>;      ///< provider
  using Dropped = SlotTable<3, DroppedCounters>;   ///< the client's dialect, the provider's, the field

  WorkerMetrics(SeriesBudget& budget, MetricsSettings settings, std::uint64_t seed);

  void call_started() { started_.add(1); }
  void call_ended(const Exchange& exchange);
  void refused(Failure failure);

  const Calls& calls() const { return calls_; }
  const Times& times() const { return times_; }
  const Attempts& attempts() const { return attempts_; }
  const Phases& phases() const { return phases_; }
  const Dropped& dropped() const { return dropped_; }
  const Histogram<kOverheadBounds>& overhead() const { return overhead_; }
  /// Calls that have started and not ended.
  std::uint64_t under_way() const;
  std::uint64_t series_overflow() const { return overflow_.read(); }

 private:
  CallCounters& call(std::string_view route, std::string_view task, std::string_view model, std::string_view provider,
                     const Caller* caller);
  CallCounters& new_call(const Labels<6>& labels);
  void count_dropped(const Exchange& exchange);
  void count_attempt(CallCounters& counters, const Attempt& attempt);
  TimeCounters& times_for(const Labels<3>& labels);
  PhaseCounters& phases_for(std::string_view provider);
  AttemptCounters& attempt_for(const Labels<4>& labels);
  template <std::size_t N, class Counters, class F>
  Counters& find_or_add(SlotTable<N, Counters>& table, char name, std::size_t series, const Labels<N>& labels,
                        const Labels<N>& instead, F&& prepare);

  SeriesBudget& budget_;
  const MetricsSettings settings_;
  Calls calls_;
  Times times_;
  Attempts attempts_;
  Phases phases_;
  Dropped dropped_;
  Histogram<kOverheadBounds> overhead_;
  Counter started_, ended_, overflow_;
};

}  // namespace weir::telemetry
