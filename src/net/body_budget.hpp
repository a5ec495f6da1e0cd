#pragma once
#include <atomic>
#include <cstddef>
#include <utility>

namespace weir::net {

/// The memory that the process gives to bodies of requests above kSmall (`limits.bodies`). Smaller ones are bounded by
/// the number of calls and cost nothing here. Thread: any.
class BodyBudget {
 public:
  static constexpr std::size_t kSmall = std::size_t{64} << 10;

  explicit BodyBudget(std::size_t most) : most_(most) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

  bool take(std::size_t bytes) {
    if (held_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most_) return true;
    give_back(bytes);
    return false;
  }
  void give_back(std::size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t most() const { return most_; }
  std::size_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> held_{0};
};

/// What one body has taken of it, given back at the end of its call.
class BodyShare {
 public:
  /// `budget` may be null: not bounded.
  explicit BodyShare(BodyBudget* budget) : budget_(budget) {}
  ~BodyShare() {
    if (taken_ != 0) budget_->give_back(taken_);
  }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  /// Whether a body of this size may be held; it only grows.
  bool cover(std::size_t bytes) {
    if (budget_ == nullptr || bytes <= BodyBudget::kSmall || bytes <= taken_) return true;
    if (!budget_->take(bytes - taken_)) return false;
    taken_ = bytes;
    return true;
  }

 private:
  BodyBudget* budget_;
  std::size_t taken_ = 0;
};

}  // namespace weir::net
