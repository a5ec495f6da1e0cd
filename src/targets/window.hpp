#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace weir::targets {

/// Two kinds of events over the last ten seconds, kept by the second: calls and retries, or good and bad answers.
///
/// Thread: any; adding is one atomic addition, nothing waits. Sans-io: whoever counts says which second it is.
class Window {
 public:
  static constexpr std::int64_t kSeconds = 10;
  struct Counts {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
  };

  void add_first(std::int64_t second) { add(second, kFirst); }
  void add_second(std::int64_t second) { add(second, kSecond); }
  /// Takes one back that was added in the same second; later it is gone by itself.
  void take_back_second(std::int64_t second) {
    auto& bucket = buckets_[static_cast<std::uint64_t>(second) % kBuckets];
    if (stamp_of(bucket.load(std::memory_order_relaxed)) == stamp(second)) {
      bucket.fetch_sub(kSecond, std::memory_order_relaxed);
    }
  }

  Counts sum(std::int64_t now) const {
    Counts sum;
    for (std::int64_t second = now - kSeconds + 1; second <= now; ++second) {
      const std::uint64_t seen =
          buckets_[static_cast<std::uint64_t>(second) % kBuckets].load(std::memory_order_relaxed);
      if (stamp_of(seen) != stamp(second)) continue;
      sum.first += seen & kCountMask;
      sum.second += (seen >> kCountBits) & kCountMask;
    }
    return sum;
  }

  void clear() {
    for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
  }

 private:
  // One word: 24 bits of the second it belongs to, then twice 20 bits of count (a million a second).
  static constexpr std::size_t kBuckets = 16;
  static constexpr unsigned kCountBits = 20;
  static constexpr std::uint64_t kCountMask = (1U << kCountBits) - 1;
  static constexpr std::uint64_t kFirst = 1;
  static constexpr std::uint64_t kSecond = 1ULL << kCountBits;

  static constexpr std::uint64_t stamp(std::int64_t second) {
    return (static_cast<std::uint64_t>(second) + 1) & 0xffffff;  // + 1: an unused bucket belongs to no second
  }
  static constexpr std::uint64_t stamp_of(std::uint64_t word) { return word >> (2 * kCountBits); }

  void add(std::int64_t second, std::uint64_t what) {
    auto& bucket = buckets_[static_cast<std::uint64_t>(second) % kBuckets];
    std::uint64_t seen = bucket.load(std::memory_order_relaxed);
    while (stamp_of(seen) != stamp(second)) {
      const std::uint64_t fresh = (stamp(second) << (2 * kCountBits)) + what;
      if (bucket.compare_exchange_weak(seen, fresh, std::memory_order_relaxed)) return;
    }
    bucket.fetch_add(what, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
};

}  // namespace weir::targets
