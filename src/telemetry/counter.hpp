#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <weir/base/clock.hpp>

namespace weir::telemetry {

/// A count that one thread adds to and any thread may read. Load and store instead of fetch_add: with a single writer
/// that is enough and needs no locked instruction.
class Counter {
 public:
  void add(std::uint64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Upper bounds of a histogram's buckets in nanoseconds, ascending; the bucket above the last is implied.
template <std::size_t N>
using Bounds = std::array<std::int64_t, N>;

inline constexpr std::int64_t kMicrosecond = 1'000;
inline constexpr std::int64_t kMillisecond = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000'000'000;

/// From a classifier's answer to a long report of a reasoning model.
inline constexpr Bounds<14> kRequestBounds{kSecond / 10, kSecond / 4,   kSecond / 2,   1 * kSecond,  2 * kSecond,
                                           3 * kSecond,  5 * kSecond,   10 * kSecond,  20 * kSecond, 30 * kSecond,
                                           60 * kSecond, 120 * kSecond, 300 * kSecond, 600 * kSecond};
inline constexpr Bounds<15> kFirstTokenBounds{
    50 * kMillisecond,  100 * kMillisecond, 200 * kMillisecond,  300 * kMillisecond, 500 * kMillisecond,
    750 * kMillisecond, 1 * kSecond,        1500 * kMillisecond, 2 * kSecond,        3 * kSecond,
    5 * kSecond,        10 * kSecond,       20 * kSecond,        30 * kSecond,       60 * kSecond};
/// One set for all phases: a pooled send takes microseconds, a thinking model's headers take minutes.
inline constexpr Bounds<17> kPhaseBounds{
    kMillisecond / 2,  1 * kMillisecond,    2500 * kMicrosecond, 5 * kMillisecond,   10 * kMillisecond,
    25 * kMillisecond, 50 * kMillisecond,   100 * kMillisecond,  250 * kMillisecond, kSecond / 2,
    1 * kSecond,       2500 * kMillisecond, 5 * kSecond,         15 * kSecond,       60 * kSecond,
    180 * kSecond,     600 * kSecond};
inline constexpr Bounds<12> kOverheadBounds{25 * kMicrosecond,   50 * kMicrosecond,  100 * kMicrosecond,
                                            250 * kMicrosecond,  500 * kMicrosecond, 1 * kMillisecond,
                                            2500 * kMicrosecond, 5 * kMillisecond,   10 * kMillisecond,
                                            25 * kMillisecond,   50 * kMillisecond,  100 * kMillisecond};

/// Observed times by bucket (not cumulative) and their sum. Same threads as Counter.
template <const auto& kBounds>
class Histogram {
 public:
  static constexpr std::size_t bucket_count = kBounds.size() + 1;

  void observe(Duration took) {
    const std::int64_t ns = took.count() > 0 ? took.count() : 0;
    std::size_t bucket = 0;
    for (const std::int64_t bound : kBounds) bucket += static_cast<std::size_t>(ns > bound);
    buckets_[bucket].add(1);
    sum_ns_.add(static_cast<std::uint64_t>(ns));
  }
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].read(); }
  std::uint64_t sum_ns() const { return sum_ns_.read(); }

 private:
  std::array<Counter, bucket_count> buckets_;
  Counter sum_ns_;
};
static_assert(Duration::period::den == 1'000'000'000, "times are counted in nanoseconds");

}  // namespace weir::telemetry
