#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <weir/base/clock.hpp>

namespace weir::net {

class DeadlineWheel;

/// A moment after which expired() is called once. Re-arming to a later moment only stores it: the wheel moves the entry
/// when it comes by; an earlier one relinks. Thread: the wheel's. Destroying it disarms.
class Deadline {
 public:
  explicit Deadline(DeadlineWheel& wheel) : wheel_(wheel) {}
  virtual ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(TimePoint at);
  void disarm();
  bool armed() const { return armed_; }
  TimePoint at() const { return at_; }

 protected:
  /// Called from the wheel's tick; the deadline is disarmed already and may be armed again.
  virtual void expired() = 0;

 private:
  friend class DeadlineWheel;
  void unlink();

  DeadlineWheel& wheel_;
  TimePoint at_{};
  TimePoint slot_{};
  Deadline* previous_ = nullptr;
  Deadline* next_ = nullptr;
  Deadline** head_ = nullptr;
  bool armed_ = false;
};

/// All deadlines of one worker on one timer: arming is two pointer writes, where a timer per operation costs
/// microseconds. Sans-io: somebody calls tick() about every `kTick`. A deadline fires at most one tick late, never
/// early.
class DeadlineWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{20};

  explicit DeadlineWheel(TimePoint now) : begin_(now) {}
  void tick(TimePoint now);

 private:
  friend class Deadline;
  static constexpr std::size_t kSlots = 1024;  // 20 s; later ones go round again
  void link(Deadline& deadline);

  TimePoint begin_;
  std::uint64_t ticks_ = 0;
  std::array<Deadline*, kSlots> slots_{};
};

}  // namespace weir::net
