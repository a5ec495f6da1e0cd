#include "targets/place.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace weir::targets {
namespace {

constexpr Duration kRateCool = std::chrono::seconds(1);  // a 429 that does not say for how long
constexpr Duration kBenched = std::chrono::seconds(60);  // a spent or refused key: somebody has to act
constexpr Duration kCoolMax = std::chrono::minutes(10);  // no provider's word keeps a place away for longer
constexpr Duration kMissingCool = std::chrono::seconds(30);
constexpr double kDecayNs = 10e9;

std::int64_t ticks(TimePoint at) {
  return at.time_since_epoch().count();
}

void raise(std::atomic<std::int64_t>& until, std::int64_t at) {
  std::int64_t seen = until.load(std::memory_order_relaxed);
  while (seen < at && !until.compare_exchange_weak(seen, at, std::memory_order_relaxed)) {
  }
}

CircuitBreaker::Verdict verdict_of(Failure failure) {
  if (row_of(failure).provider_fault) return CircuitBreaker::Verdict::bad;
  // A refusal of the client's own fault is an answer of a place that works; what weir or the client broke off is none.
  const bool answered = failure == Failure::none || row_of(failure).outcome == Outcome::client_error ||
                        row_of(failure).outcome == Outcome::limited;
  return answered ? CircuitBreaker::Verdict::good : CircuitBreaker::Verdict::neutral;
}

}  // namespace

Place::Place(ProviderState& provider, std::shared_ptr<std::atomic<std::int64_t>[]> bench, std::size_t keys)
    : provider_(provider), bench_(std::move(bench)), keys_(keys) {}

bool Place::healthy(std::size_t key, TimePoint now) const {
  const std::int64_t at = ticks(now);
  return keys_[key].cool_until.load(std::memory_order_relaxed) <= at &&
         bench_[static_cast<std::ptrdiff_t>(key)].load(std::memory_order_relaxed) <= at &&
         keys_[key].breaker.would_admit(now);
}

TimePoint Place::back_at(std::size_t key) const {
  return TimePoint(Duration(std::max(keys_[key].cool_until.load(std::memory_order_relaxed),
                                     bench_[static_cast<std::ptrdiff_t>(key)].load(std::memory_order_relaxed))));
}

void Place::report(std::size_t key, Failure failure, std::optional<Duration> back_in, bool trial, TimePoint now) {
  keys_[key].breaker.report(verdict_of(failure), trial, now);
  if (failure == Failure::none) [[likely]]
    return;
  const auto until = [&](Duration otherwise) { return ticks(now + std::min(back_in.value_or(otherwise), kCoolMax)); };
  switch (row_of(failure).bench) {
    case Bench::none:
      break;
    case Bench::place:
      raise(keys_[key].cool_until, until(failure == Failure::limit_rate ? kRateCool : kMissingCool));
      break;
    case Bench::key:
      raise(bench_[static_cast<std::ptrdiff_t>(key)], until(kBenched));
      break;
    case Bench::asked:
      if (back_in) raise(keys_[key].cool_until, until(kRateCool));
      break;
  }
}

void Place::took(Duration time, TimePoint now) {
  const double sample = static_cast<double>(time.count());
  const double old = ewma_ns_.load(std::memory_order_relaxed);
  const std::int64_t before = ewma_at_.exchange(ticks(now), std::memory_order_relaxed);
  const double keep = std::exp(-static_cast<double>(std::max<std::int64_t>(0, ticks(now) - before)) / kDecayNs);
  ewma_ns_.store(sample > old ? sample : old * keep + sample * (1 - keep), std::memory_order_relaxed);
}

double Place::load(TimePoint now) const {
  // What nobody asked for a while is forgiven: else a place that was slow once would never be tried again.
  const double idle =
      static_cast<double>(std::max<std::int64_t>(0, ticks(now) - ewma_at_.load(std::memory_order_relaxed)));
  const double expected = ewma_ns_.load(std::memory_order_relaxed) * std::exp(-idle / kDecayNs);
  return (expected + 1) * (in_flight_.load(std::memory_order_relaxed) + 1.0);
}

}  // namespace weir::targets
