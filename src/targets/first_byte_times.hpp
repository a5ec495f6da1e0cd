#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <weir/base/clock.hpp>

namespace weir::targets {

/// What a call waits for: the first byte of its stream, or the answer that comes whole.
enum class Awaited : std::uint8_t { stream, whole };

/// How long a streamed call may wait for its first byte when `first_byte` is `auto` (RULINGS 2): max(4 × p99, 120 s) of
/// what this model took for prompts of this size, and `total` until 50 calls are known. Slow models stay usable and
/// dead ones do not hold a caller for ten minutes. And what is slow for a model: the p95, after which a hedged call
/// is sent a second time. Thread: one per worker. Sans-io: durations are given.
class FirstByteTimes {
 public:
  static constexpr std::size_t kCallsNeeded = 50;
  static constexpr std::chrono::seconds kFloor{120};

  void record(std::string_view provider, std::string_view model, std::uint64_t prompt_bytes, Duration took,
              Awaited awaited = Awaited::stream);
  std::chrono::milliseconds limit(std::string_view provider, std::string_view model, std::uint64_t prompt_bytes,
                                  std::chrono::milliseconds total) const;
  /// What 95 of 100 such calls did not wait longer for; none until 50 are known.
  std::optional<std::chrono::milliseconds> p95(std::string_view provider, std::string_view model,
                                               std::uint64_t prompt_bytes, Awaited awaited) const;

 private:
  static constexpr std::size_t kBuckets = 96;      // six per doubling, from 10 ms: within 12 % up to ten minutes
  static constexpr std::size_t kSeriesMax = 4096;  // names come from clients: past this nothing new is learned
  struct Series {
    std::array<std::uint32_t, kBuckets> counts{};
    std::uint32_t total = 0;
    double quantile_ms(unsigned percent) const;
  };
  struct Key {
    std::string provider_and_model;
    unsigned size_class;
  };
  struct KeyView {
    std::string_view provider, model;
    unsigned size_class;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const;
    std::size_t operator()(const Key& key) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const;
    bool operator()(const KeyView& a, const Key& b) const;
    bool operator()(const Key& a, const KeyView& b) const { return (*this)(b, a); }
  };
  std::unordered_map<Key, Series, Hash, Equal> series_;
};

}  // namespace weir::targets
