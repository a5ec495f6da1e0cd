#include "net/deadline_wheel.hpp"

#include <algorithm>

namespace weir::net {

void Deadline::arm(TimePoint at) {
  at_ = at;
  armed_ = true;
  if (head_ != nullptr && at >= slot_) return;
  unlink();
  wheel_.link(*this);
}

void Deadline::disarm() {
  armed_ = false;
  unlink();
}

void Deadline::unlink() {
  if (head_ == nullptr) return;
  if (previous_ != nullptr) previous_->next_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (*head_ == this) *head_ = next_;
  previous_ = next_ = nullptr;
  head_ = nullptr;
}

void DeadlineWheel::link(Deadline& deadline) {
  const auto since = std::max(deadline.at_ - begin_, Duration::zero());
  auto slot = static_cast<std::uint64_t>(since / kTick) + 1;
  slot = std::clamp(slot, ticks_ + 1, ticks_ + kSlots - 1);
  deadline.slot_ = deadline.at_;
  Deadline*& head = slots_[slot % kSlots];
  deadline.head_ = &head;
  deadline.next_ = head;
  deadline.previous_ = nullptr;
  if (head != nullptr) head->previous_ = &deadline;
  head = &deadline;
}

void DeadlineWheel::tick(TimePoint now) {
  const auto due = static_cast<std::uint64_t>((now - begin_) / kTick);
  while (ticks_ < due) {
    ++ticks_;
    // expired() may destroy or arm any deadline, so the slot's head is read afresh each time.
    Deadline*& head = slots_[ticks_ % kSlots];
    while (head != nullptr) {
      Deadline& deadline = *head;
      deadline.unlink();
      if (deadline.at_ <= now) {
        deadline.armed_ = false;
        deadline.expired();
      } else {
        link(deadline);  // a later slot, never this one
      }
    }
  }
}

}  // namespace weir::net
