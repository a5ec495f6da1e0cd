#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weir/base/clock.hpp>
#include <weir/exchange/failure.hpp>
#include "targets/circuit_breaker.hpp"
#include "targets/retry_budget.hpp"

namespace weir::targets {

/// What all models of one provider entry share: its retry budget, and which of its keys are benched (spent, refused).
/// Thread: any.
struct ProviderState {
  explicit ProviderState(std::string entry) : name(std::move(entry)) {}
  const std::string name;
  RetryBudget budget;
};

/// One model at one provider entry, with all its keys: health by key (RULINGS 10), calls under way, how long it takes.
///
/// Thread: any; all of it is atomic, nothing waits. Lifetime: the registry's, past every call and reload.
class Place {
 public:
  /// `bench`: until when each key is benched, shared by all places of the provider entry.
  Place(ProviderState& provider, std::shared_ptr<std::atomic<std::int64_t>[]> bench, std::size_t keys);

  ProviderState& provider() { return provider_; }
  const ProviderState& provider() const { return provider_; }
  std::size_t keys() const { return keys_.size(); }

  /// Whether a call with this key is worth trying now; takes nothing.
  bool healthy(std::size_t key, TimePoint now) const;
  /// When this key is expected back; the past = it is there.
  TimePoint back_at(std::size_t key) const;
  /// The key whose turn it is, without those that are not healthy; none = no key is.
  template <class Allowed>
  std::optional<std::size_t> next_key(TimePoint now, Allowed&& allowed) {
    const std::size_t count = keys_.size();
    if (count == 1) [[likely]] {
      if (!allowed(0) || !healthy(0, now)) return std::nullopt;
      return 0;
    }
    const std::uint32_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t key = (turn + i) % count;
      if (allowed(key) && healthy(key, now)) return key;
    }
    return std::nullopt;
  }

  /// Called before each attempt; `trial` goes back into report(). False = another call is the trial already.
  bool admit(std::size_t key, TimePoint now, bool& trial) { return keys_[key].breaker.admit(now, trial); }

  /// How an attempt ended. `back_in`: what the provider asked to wait for.
  void report(std::size_t key, Failure failure, std::optional<Duration> back_in, bool trial, TimePoint now);

  /// Takes a place under `most`; false = it is full.
  bool enter(std::uint32_t most) {
    if (in_flight_.fetch_add(1, std::memory_order_relaxed) < most || most == 0) return true;
    leave();
    return false;
  }
  void leave() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  bool full(std::uint32_t most) const { return most != 0 && in_flight_.load(std::memory_order_relaxed) >= most; }

  /// Peak EWMA: a slow answer counts at once, fast ones win back its trust within seconds.
  void took(Duration time, TimePoint now);
  /// What a further call is expected to take, calls under way counted.
  double load(TimePoint now) const;

  CircuitBreaker::State circuit(std::size_t key, TimePoint now) const { return keys_[key].breaker.state(now); }

 private:
  struct alignas(64) Key {
    std::atomic<std::int64_t> cool_until{0};
    CircuitBreaker breaker;
  };

  ProviderState& provider_;
  std::shared_ptr<std::atomic<std::int64_t>[]> bench_;
  std::vector<Key> keys_;
  std::atomic<std::uint32_t> turn_{0};
  std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<double> ewma_ns_{0};
  std::atomic<std::int64_t> ewma_at_{0};
};

}  // namespace weir::targets
